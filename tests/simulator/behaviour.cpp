#include "tests/simulator/behaviour.hpp"

namespace simulator {

Behaviour::Behaviour() = default;

}  // namespace simulator

#include "tests/unit/simulator/asked.hpp"

#include <utility>

#include "tests/simulator/answer.hpp"

namespace simulator::tests {

Request request(const Behaviour& behaviour, std::map<std::string, std::string> parameters,
                const std::string& path) {
    Request made;
    made.method = "GET";
    made.path = path;
    made.parameters = std::move(parameters);
    made.parameters.emplace("access_token", behaviour.token);
    understand(made, behaviour);
    return made;
}

}  // namespace simulator::tests

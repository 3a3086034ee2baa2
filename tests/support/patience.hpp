// How long tests wait for what must come.
#pragma once

#include <chrono>

namespace mirror::test {

/// Says nothing about speed: only what hangs takes so long, however slow the machine is.
inline constexpr std::chrono::minutes patience(5);

}  // namespace mirror::test

// How long tests wait for what must come.
#pragma once

#include <chrono>

namespace mirror::test {

/// Not a measure of speed: even on a slow machine, only what hangs takes this long.
inline constexpr std::chrono::minutes patience(5);

}  // namespace mirror::test

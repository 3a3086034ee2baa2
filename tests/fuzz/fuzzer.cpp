// What libFuzzer calls. Built once for each target, whose name is FUZZ_TARGET.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/target.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    mirror::fuzz::FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
    return 0;
}

// What a thread that works for another is seen to do.
#pragma once

#include <cstdint>

namespace mirror::storage {

struct Activity {
    std::uint64_t asked = 0;  ///< calls so far
    std::uint64_t done = 0;   ///< of these, those that have ended
    std::uint64_t steps = 0;  ///< grows as the current call makes progress, however long it takes
};

}  // namespace mirror::storage

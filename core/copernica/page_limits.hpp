// What a page may take.
#pragma once

#include <cstddef>

namespace mirror::copernica {

struct PageLimits {
    std::size_t body_bytes = std::size_t{32} << 20;
    std::size_t text_bytes = std::size_t{1} << 20;    ///< one string, key or number
    std::size_t record_bytes = std::size_t{4} << 20;  ///< one record
    std::size_t records = 100'000;
    std::size_t reject_bytes = std::size_t{4} << 20;  ///< all rejects of the page together
    std::size_t depth = 32;                           ///< of nested arrays and objects
};

}  // namespace mirror::copernica

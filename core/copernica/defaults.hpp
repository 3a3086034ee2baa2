// The defaults of the request limits. The configuration and the client both take them from here.
#pragma once

#include <cstdint>

#include "core/copernica/page_query.hpp"
#include "core/time/instant.hpp"

namespace mirror::copernica::defaults {

inline constexpr std::uint32_t page_size = largest_page;
inline constexpr unsigned connections = 4;
inline constexpr unsigned requests_per_second = 10;
inline constexpr Seconds settle{5};
inline constexpr Seconds give_up_after{900};

}  // namespace mirror::copernica::defaults

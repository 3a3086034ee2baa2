// The defaults of a run. The configuration and the session both take them from here.
#pragma once

#include <vector>

#include "core/time/instant.hpp"

namespace mirror::sync::defaults {

inline constexpr Seconds poll_interval{60};
inline constexpr Seconds overlap{120};
inline constexpr Seconds sweep = std::chrono::hours(24) * 90;

inline std::vector<Seconds> recheck_ages() {
    return {std::chrono::minutes(15), std::chrono::hours(24), std::chrono::hours(24) * 7};
}

}  // namespace mirror::sync::defaults

// Asking the file for its newest row of all.
#pragma once

#include <chrono>

#include "core/time/instant.hpp"

namespace mirror::sync {

/// Later than every row: Store::newest_rows(after_all_rows) is the newest of all.
inline constexpr LocalTime after_all_rows{
    std::chrono::local_days{std::chrono::year(9999) / 12 / 31}};

}  // namespace mirror::sync

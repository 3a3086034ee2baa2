// What a load of so many rows takes. Pure.
#pragma once

#include <cstdint>
#include <span>

#include "core/time/instant.hpp"

namespace mirror::plan {

struct LoadSettings {
    std::uint32_t page_size = 1000;
    unsigned requests_per_second = 10;
    std::uint64_t requests_per_day = 0;  ///< 0: no limit
    unsigned indexes = 1;                ///< optional ones
};

struct LoadEstimate {
    std::uint64_t rows = 0;
    std::uint64_t requests = 0;
    Seconds at_the_rate{};    ///< what the rate allows at the best
    std::uint64_t bytes = 0;  ///< that the file grows by
    std::uint64_t days = 1;   ///< that the day's budget makes of it
};

/// Pages are taken to be 93 % full: the last page of a window is not, nor are those of quiet times.
/// Some requests are made besides.
/// A row takes 107 bytes, and 12 for each optional index (see docs/performance.md).
LoadEstimate estimate_load(std::uint64_t rows, const LoadSettings& settings);

/// Of several loads by one process, which share the rate and the budget.
LoadEstimate sum_of(std::span<const LoadEstimate> loads, const LoadSettings& settings);

}  // namespace mirror::plan

// Months of a zone's local time, such that UTC is a sum: for SQL, which knows no zones.
#pragma once

#include <vector>

#include "core/time/instant.hpp"
#include "core/time/zone.hpp"

namespace mirror {

/// A month, or the part of one in which local time and UTC are apart by the same offset, and no
/// local second occurs twice.
struct LocalMonth {
    LocalPeriod period;
    /// When local clocks would have shown midnight of the day before the month's first. That, the
    /// day of the month, and the time of day add up to UTC.
    Instant day_zero{};
    friend bool operator==(const LocalMonth&, const LocalMonth&) = default;
};

/// Of the years `first` to `last`, ascending. What occurs twice, or never, is in none.
std::vector<LocalMonth> local_months(const Zone& zone, std::chrono::year first,
                                     std::chrono::year last);

}  // namespace mirror

// What the API was asked, and what that comes to in a month. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/time/instant.hpp"

namespace mirror::daemon {

/// Requests of all processes on the file, by UTC days.
struct RequestCounts {
    std::uint64_t today = 0;
    std::uint64_t month = 0;           ///< with today
    std::uint64_t expected_month = 0;  ///< to its end, if the days to come are like the last seven
    std::optional<std::uint64_t> per_day;  ///< the budget; nothing: no limit
};

/// `days`: "YYYY-MM-DD" and the requests of that day. `now` is UTC.
RequestCounts count_requests(const std::map<std::string, std::uint64_t>& days, Instant now,
                             std::optional<std::uint64_t> per_day);

/// "12 today of 2,000, 1,440 this month, about 43,200 in all of it", for people.
std::string requests_text(const RequestCounts& counts);

}  // namespace mirror::daemon

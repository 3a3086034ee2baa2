// Times and durations as people write them, on the command line and in the configuration.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/time/instant.hpp"

namespace mirror::daemon {

/// A whole number and `s`, `m`, `h` or `d`: "90s", "15m". Nothing else, and no more than a
/// hundred years.
std::optional<Seconds> parse_duration(std::string_view text);

/// The shortest text that parse_duration() reads as the same.
std::string format_duration(Seconds duration);

/// `YYYY-MM-DD` (midnight), or that and a time of day after a space or a `T`: `HH:MM` or
/// `HH:MM:SS`. Account-local.
std::optional<LocalTime> parse_time(std::string_view text);

}  // namespace mirror::daemon

// Text forms of time: the API's naive local form, and ISO 8601 in UTC for people and JSON.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/time/instant.hpp"

namespace mirror {

/// "YYYY-MM-DD HH:MM:SS", years 0000 to 9999, exactly 19 characters; nothing else is read.
/// Calendar and clock must be possible (no 30 February, no second 60); whether local clocks ever
/// showed it is the Zone's business. No allocation, no locale.
std::optional<LocalTime> parse_local(std::string_view text);

/// The inverse of parse_local().
std::string format_local(LocalTime local);

/// The same without an allocation: writes the `local_text_size` characters of a time of the years
/// 0000 to 9999.
inline constexpr std::size_t local_text_size = 19;
void write_local(LocalTime local, char* text);

/// "2026-11-23T16:00:05Z".
std::string format_utc(Instant at);

/// The day of that time, "2026-11-23": a UTC day, or a local one.
std::string format_day(Instant at);
std::string format_day(LocalTime local);

}  // namespace mirror

// Forms of an ID and of a time that are not the API's, but can mean one thing only. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/time/instant.hpp"

namespace mirror {

/// Reads a positive whole number with spaces around it, a plus sign, leading zeros, or a fraction
/// of nothing: "1.0", "+1", " 1" and "007".
std::optional<std::int64_t> read_plain_id(std::string_view text);

/// Reads "YYYY-MM-DDTHH:MM:SS" and a fraction of a second, which is cut off. Not an offset or a
/// "Z": the API's times are local.
std::optional<LocalTime> read_plain_time(std::string_view text);

}  // namespace mirror

// The `Date` of a reply.
#pragma once

#include <optional>
#include <string_view>

#include "core/time/instant.hpp"

namespace mirror::http {

/// Reads an IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT", without the locale. The day of the week
/// must be right, too: a date that contradicts itself proves nothing. A leap second reads as the
/// second before it. The two obsolete forms of HTTP are not read.
///
/// By hand: date::parse() and strptime() take one digit for two, any case and more spaces, and
/// names of the locale; a strict reader would have to check the text once more.
std::optional<Instant> parse_http_date(std::string_view text);

}  // namespace mirror::http

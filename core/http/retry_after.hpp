// How long a server asks us to wait.
#pragma once

#include <optional>
#include <string_view>

#include "core/time/instant.hpp"

namespace mirror::http {

/// Reads `Retry-After`: whole seconds, or an HTTP date, which is taken against `now` (the
/// server's own `Date` if there is one). Never negative; a number too large to hold, or more
/// than a year, is a year. Nothing if it is neither.
std::optional<Seconds> parse_retry_after(std::string_view text, Instant now);

}  // namespace mirror::http

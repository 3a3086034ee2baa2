// The small replies: whose token it is, what the API bills, and what it says is wrong.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/copernica/api.hpp"

namespace mirror::copernica {

/// Reads {"id":"34","name":"…",…}; the id may be a number, too. Throws BadBody if it
/// is not a JSON object with an id. The Identity has no date.
Identity decode_identity(std::string_view body);

/// Reads {"emails":…,"apicalls":…,…}; a number may be a text. Throws BadBody if it is not a
/// JSON object with the calls.
Consumption decode_consumption(std::string_view body);

/// The text of {"error":{"message":"…"}}, as the API wrote it: not fit for showing yet. Nothing
/// if the body is anything else.
std::optional<std::string> decode_error_message(std::string_view body);

}  // namespace mirror::copernica

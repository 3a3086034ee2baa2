// What an access token looks like.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mirror::daemon {

/// Why the text, without white space around it, cannot be an access token, and what to do; nothing
/// if it may be one. The text itself is not repeated.
std::optional<std::string> why_not_a_token(std::string_view text);

/// True for a word that may be an access token rather than a name, a path or a number.
bool looks_like_a_token(std::string_view word);

/// `message` without those of the program's arguments that look like a token.
std::string without_tokens(std::string message, const std::vector<std::string>& arguments);

}  // namespace mirror::daemon

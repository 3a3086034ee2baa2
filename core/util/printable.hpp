// Text from outside, made fit for a log line or a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mirror {

/// `text` on one line: control characters, terminal escapes, line separators and the characters
/// that turn the direction of writing become \n, \t, \r or \uXXXX; bytes that are not UTF-8 become
/// \xXX. At most `limit` characters of `text` are taken; what is left out shows as "…".
std::string printable(std::string_view text, std::size_t limit = 200);

/// `json`, a serialized document in UTF-8, with the same characters as \uXXXX: it means the same,
/// and a terminal that shows it obeys none of them.
std::string printable_json(std::string_view json);

}  // namespace mirror

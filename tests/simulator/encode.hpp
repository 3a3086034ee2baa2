// JSON as the API writes it, by hand: a reply of 1,000 rows takes a fraction of a millisecond.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tests/simulator/behaviour.hpp"
#include "tests/simulator/row.hpp"
#include "tests/simulator/streams.hpp"

namespace simulator {

/// `text` with every byte that is not part of valid UTF-8 replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

/// Appends `text`, valid UTF-8, as a JSON string with its quotes.
void append_string(std::string& out, std::string_view text, Encoding encoding);

/// Appends a row of the stream as one JSON object.
void append_record(std::string& out, StreamId stream, const RowView& row,
                   const Behaviour& behaviour);

/// {"error":{"message":"..."}}
std::string error_body(std::string_view message, Encoding encoding);

/// The reply of `GET identity`.
std::string identity_body(const Identity& identity, Encoding encoding);

}  // namespace simulator

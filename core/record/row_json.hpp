// A row as JSON again.
#pragma once

#include <string>

#include "core/record/row.hpp"
#include "core/record/stream.hpp"

namespace mirror {

/// The record as the API might have sent it, keys sorted. What did not fit its column is in
/// "extra", as it is in the table of rows.
std::string json_of(const Stream& stream, const Row& row);

}  // namespace mirror

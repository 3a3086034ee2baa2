// Believable values of the fields that only one stream has.
#pragma once

#include <cstdint>

#include "tests/simulator/row.hpp"
#include "tests/simulator/streams.hpp"

namespace simulator {

/// Fills in what a row of that stream has besides mailing, destination, profiles and what an open
/// has. The same for the same number.
void add_details(StreamId stream, Row& row, std::uint64_t number);

}  // namespace simulator

// The floor's decoder: simdjson on a whole body.
#pragma once

#include <cstdint>
#include <string>

#include "tests/bench/floor/database.hpp"

namespace floor_bench {

/// The rows of one body; `total`, if it is asked for, gets the reply's.
Rows parse(std::string& body, std::uint64_t* total);

}  // namespace floor_bench

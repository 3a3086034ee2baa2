// What a mirror must hold, as files for tests in other languages.
#pragma once

#include <string>
#include <vector>

#include "tests/simulator/row.hpp"
#include "tests/simulator/server.hpp"

namespace simulator {

/// A JSON array for each row, one a line. Throws std::runtime_error.
void write_truth(const std::string& path, const std::vector<Values>& rows);

/// A file `NAME.jsonl` for each stream; the first line has the names of the columns. Makes the
/// directory.
void write_truths(const std::string& directory, const Server& server);

}  // namespace simulator

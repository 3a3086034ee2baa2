// The indexes that people choose: which there are, and how a file is brought in line with a choice.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/record/stream.hpp"

namespace SQLite {
class Database;
}

namespace mirror::storage {

/// The columns that may have an index, in the tables of the streams that have them. The index on
/// `timestamp` is always there (stream_schema.hpp).
const std::vector<std::string>& optional_indexes();

/// Those of a file whose configuration names none.
const std::vector<std::string>& default_indexes();

/// Throws std::invalid_argument, naming the index, if one of them is not one of ours.
void check_index_names(const std::set<std::string>& columns);

/// Creates the optional indexes on `columns` of the stream's table that are missing and drops the
/// others, inside a write transaction. Throws SQLite::Exception.
void match_indexes(SQLite::Database& sql, const Stream& stream,
                   const std::set<std::string>& columns);

}  // namespace mirror::storage

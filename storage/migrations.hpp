// From an empty file to the current schema, and from any older schema to it.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "storage/sqlite/file_format.hpp"

namespace SQLite {
class Database;
}

namespace mirror::storage {

/// "CpMi", in the header of each of our files (PRAGMA application_id).
inline constexpr int application_id = 0x43704d69;

/// What this program makes and writes (PRAGMA user_version).
inline constexpr int schema_version = 3;

inline constexpr FileFormat file_format{application_id, schema_version};

/// One numbered step. `version` is what it leads to.
struct Migration {
    int version;
    std::string_view sql;
};

/// All steps after version 1, ascending, each by one.
std::span<const Migration> migrations();

/// Tables, views and both numbers in an empty file, and `fill`, all in one transaction: a file is
/// ours and whole, or it is empty. Throws SQLite::Exception.
void create_schema(SQLite::Database& sql, const std::function<void()>& fill);

/// Carries out the steps after version `from`, makes the tables of streams that the file does not
/// have and our views anew, all in one transaction. Objects that are not ours stay, except indexes
/// and triggers that somebody added to a table that a step makes anew. Throws SQLite::Exception,
/// and then nothing has changed.
void migrate(SQLite::Database& sql, int from, std::span<const Migration> steps);

/// Lets a reader see a file of an older version as one of today, as far as `status` reads it: the
/// next writer migrates it. Changes nothing in the file. Throws SQLite::Exception.
void show_as_current(SQLite::Database& sql);

}  // namespace mirror::storage

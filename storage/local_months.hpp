// The table `local_months`: how the account's local time becomes UTC, without a function for it.
#pragma once

#include "core/time/zone.hpp"

namespace SQLite {
class Database;
}

namespace mirror::storage {

/// Makes the table what the zone's rules say today, inside a write transaction. Writes nothing if
/// it is. Throws SQLite::Exception.
void match_local_months(SQLite::Database& sql, const Zone& zone);

}  // namespace mirror::storage

// The table `requests`: how many requests all processes made, by UTC day.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/sync/store.hpp"
#include "core/time/instant.hpp"

namespace SQLite {
class Database;
}

namespace mirror::storage {

/// Every call throws SQLite::Exception.
class RequestLog {
  public:
    explicit RequestLog(SQLite::Database& sql) : sql_(sql) {}

    /// Adds to the day of `now` what it may have of `wanted` (negative: what was not used), so that
    /// the day's sum stays within `limit` (0: no limit). Forgets days that are older than a year.
    /// Within a transaction.
    sync::RequestsToday spend(Instant now, std::int64_t wanted, std::uint64_t limit);

    /// All days, ascending: "YYYY-MM-DD" and the requests of that day.
    static std::map<std::string, std::uint64_t> days(SQLite::Database& sql);

  private:
    SQLite::Database& sql_;
};

}  // namespace mirror::storage

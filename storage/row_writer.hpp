// Impressions into impression_rows: an upsert that writes nothing where nothing changed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/impression/impression.hpp"
#include "storage/row_statement.hpp"
#include "storage/user_agents.hpp"

namespace mirror::storage {

/// The times of the transaction at hand, UTC seconds.
struct WriteTimes {
    std::int64_t now = 0;         ///< first_seen of new rows
    std::int64_t changed_at = 0;  ///< of new and of changed rows; never less than one given before
};

/// What the rows of one transaction came to.
struct RowCounts {
    std::uint64_t inserted = 0;
    std::uint64_t updated = 0;  ///< changed, or back after they had been removed
    std::uint64_t unchanged = 0;
    std::uint64_t returned = 0;  ///< of the updated: rows that had removed_at
    /// IDs of the inserted rows, where they are wanted.
    std::vector<std::int64_t>* inserted_ids = nullptr;
};

/// Keeps its prepared statements and the table of user agents between transactions. Every call
/// belongs inside a write transaction and throws SQLite::Exception.
class RowWriter {
  public:
    explicit RowWriter(sqlite3* connection);
    ~RowWriter();
    RowWriter(const RowWriter&) = delete;
    RowWriter& operator=(const RowWriter&) = delete;

    /// Adds to `counts`. `look_for_removed` costs a look-up a row: to be left out where the file
    /// holds no removed rows.
    void write(std::span<const Impression> rows, const WriteTimes& times, bool look_for_removed,
               RowCounts& counts);

    /// To be called after a rollback.
    void forget() { user_agents_.forget(); }

  private:
    static void on_change(void* self, int operation, const char* database, const char* table,
                          long long row);

    void write_batch(RowStatement& upsert, std::span<const Impression> rows,
                     const WriteTimes& times, RowCounts& counts);
    std::uint64_t count_removed(std::span<const Impression> rows);

    sqlite3* connection_;
    UserAgents user_agents_;
    RowStatement upsert_many_;
    RowStatement upsert_one_;
    RowStatement removed_;
    // Counted by SQLite's update hook while rows are written.
    std::uint64_t inserted_ = 0;
    std::uint64_t updated_ = 0;
    std::vector<std::int64_t>* inserted_ids_ = nullptr;
};

}  // namespace mirror::storage

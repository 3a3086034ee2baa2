// Rows that the API does not show any more.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/sync/store.hpp"
#include "core/time/zone.hpp"
#include "storage/row_writer.hpp"

namespace SQLite {
class Database;
}

namespace mirror::storage {

/// Gives `removed_at` to rows that a whole read of their period did not return, and deletes such
/// rows when asked. Inside a write transaction; throws SQLite::Exception.
class Removals {
  public:
    Removals(SQLite::Database& sql, const Zone& zone, const Stream& stream)
        : sql_(sql), zone_(zone), table_(stream.table) {}

    /// Before the window's rows are written: whether the file has rows in the proven part, so that
    /// some of them may be gone.
    bool may_be_needed(const sync::WholeWindow& whole);

    /// After the window's rows were written, where it may be needed. Rows before `expired_before`
    /// are left as they are. Returns how many rows were marked.
    std::uint64_t mark(const sync::WholeWindow& whole, const WriteTimes& times,
                       std::optional<Instant> expired_before);

    /// Rows before `begin` that were marked since then are not removed, but expired: takes the mark
    /// away. Returns how many.
    std::uint64_t unmark_expired(LocalTime begin, std::int64_t since, const WriteTimes& times);

    std::uint64_t rows_before(LocalTime begin);

    struct Pruned {
        std::uint64_t rows = 0;
        std::uint64_t removed = 0;  ///< of these, those that were marked
    };
    /// Deletes all rows before `begin`, marked or not.
    Pruned prune_before(LocalTime begin);

    /// Deletes the removed rows of the local period [begin, end). Returns how many.
    std::uint64_t prune(LocalTime begin, LocalTime end);

  private:
    SQLite::Database& sql_;
    const Zone& zone_;
    std::string table_;
};

}  // namespace mirror::storage

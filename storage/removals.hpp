// Rows that the API does not show any more.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/sync/store.hpp"
#include "core/time/zone.hpp"
#include "storage/id_conflicts.hpp"
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

    struct MissingRow {
        std::int64_t id = 0;
        LocalTime time{};
    };
    struct Missing {
        std::vector<MissingRow> rows;  ///< that a whole read did not return
        std::uint64_t held = 0;  ///< rows that the file has in the proven part, these included
    };

    /// After the window's rows were written, if it may be needed. The records in `conflicts` are
    /// not rows. Rows before `expired_before` are never missing.
    Missing missing(const sync::WholeWindow& whole, const std::vector<IdConflict>& conflicts,
                    std::optional<Instant> expired_before);

    /// Gives the rows `removed_at`, and adds the IDs of those that have it now to `marked`.
    void mark(const std::vector<std::int64_t>& ids, const WriteTimes& times,
              std::vector<std::int64_t>& marked);

    /// Takes `removed_at` away again. Returns how many rows had it.
    std::uint64_t unmark(const std::vector<std::int64_t>& ids, const WriteTimes& times);

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

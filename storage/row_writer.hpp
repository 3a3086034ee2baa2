// Rows into their stream's table: an upsert that writes nothing if nothing changed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/packed_rows.hpp"
#include "core/record/stream.hpp"
#include "core/sync/store.hpp"
#include "core/time/text.hpp"
#include "storage/dictionary_table.hpp"
#include "storage/id_conflicts.hpp"
#include "storage/open_judge.hpp"
#include "storage/row_columns.hpp"
#include "storage/sqlite/statement.hpp"

namespace mirror::storage {

/// The times of the transaction at hand, UTC seconds.
struct WriteTimes {
    std::int64_t now = 0;         ///< first_seen of new rows
    std::int64_t changed_at = 0;  ///< of new and of changed rows; never less than one given before
};

/// The result of writing the rows of one window.
struct RowCounts {
    std::uint64_t inserted = 0;
    std::uint64_t updated = 0;  ///< changed, or back after they had been removed
    std::uint64_t unchanged = 0;
    std::uint64_t returned = 0;  ///< of the updated: rows that had removed_at
    /// Of the updated, the first few whose time and mailing changed.
    std::vector<sync::ReplacedRow> replaced;
    /// Timestamps of the inserted rows, if they are wanted.
    std::vector<LocalTime>* inserted_at = nullptr;
    /// Records that were not written, since another one is the row of their ID.
    std::vector<IdConflict> conflicts;
};

/// Looks up, some hundred rows at a time, what the file holds of them, and writes only what
/// differs. Keeps its prepared statements and what it knows of the dictionaries between
/// transactions. Every call belongs inside a write transaction and throws SQLite::Exception.
class RowWriter {
  public:
    RowWriter(sqlite3* connection, const Stream& stream);

    /// Adds to `counts`; what it keeps there of the rows is good for as long as they stay.
    void write(const PackedRows& rows, const RowRule& rule, const WriteTimes& times,
               RowCounts& counts);

    /// The entries that the rows of the last write() use, in a slot.
    std::vector<std::int64_t> entries_of_last(std::size_t slot) const;

    /// To be called after a rollback, and after entries were deleted.
    void forget();

  private:
    /// A row as it is bound.
    struct Bound {
        Row values;
        std::array<std::optional<std::int64_t>, most_entries> entries;
        std::array<char, local_text_size> timestamp{};

        std::string_view time_text() const { return {timestamp.data(), timestamp.size()}; }
    };
    using Rows = std::vector<const Bound*>;
    struct Changed {
        const Bound* row = nullptr;
        bool removed = false;  // it had removed_at
    };

    bool take(PackedRows::Reader& reader, const PackedRows& rows, const RowRule& rule,
              RowCounts& counts);
    std::optional<std::int64_t> number_of(std::size_t slot, std::size_t entry,
                                          const PackedRows& rows);
    void write_taken(const WriteTimes& times, RowCounts& counts);
    void look_up(const Rows& rows, RowCounts& counts);
    void judge(const Bound& row, RowCounts& counts);
    std::optional<LocalTime> held_elsewhere(const Bound& row) const;
    bool held_as_it_is(const Bound& row) const;
    void note_replaced(const Bound& row, RowCounts& counts) const;
    void insert(const WriteTimes& times, RowCounts& counts);
    void insert(RowStatement& statement, std::span<const Bound* const> rows,
                const WriteTimes& times);
    void update(const WriteTimes& times, RowCounts& counts);
    void bind_row(RowStatement& statement, int& parameter, const Bound& row) const;

    sqlite3* connection_;
    std::vector<RowColumn> columns_;
    std::size_t time_column_;                                     // its place among them
    std::optional<std::size_t> mailing_column_;                   // absent in streams without one
    OpenJudge judge_;                                             // of new user agents
    std::vector<std::unique_ptr<DictionaryTable>> dictionaries_;  // by slot
    RowStatement held_;
    RowStatement any_trigger_;
    RowStatement insert_many_;
    RowStatement insert_one_;
    RowStatement update_;

    // Of the window at hand: the numbers of its entries by slot, as far as they were asked for.
    struct Number {
        bool known = false;
        std::optional<std::int64_t> value;
    };
    std::array<std::vector<Number>, most_entries> numbers_;
    bool triggers_ = false;  // somebody's own, on the rows
    // The bounds of what was read whole, as text.
    std::string proven_begin_;
    std::string proven_end_;
    // The rows at hand, and what of them is to be written.
    std::vector<Bound> taken_;
    Rows new_;
    std::vector<Changed> changed_;
};

}  // namespace mirror::storage

// Records whose ID is that of another record: nobody promises that IDs are unique.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/record/row.hpp"
#include "core/record/stream.hpp"
#include "core/sync/store.hpp"
#include "core/time/zone.hpp"

namespace SQLite {
class Database;
}

namespace mirror::storage {

/// Which of the records of one ID is the row.
struct RowRule {
    /// What was read whole: a row of it that did not come again is not elsewhere.
    LocalPeriod proven;
    /// For IDs that several records of the window have: the time of the one that is the row, which
    /// may be one of another window.
    std::map<std::int64_t, LocalTime> chosen;
};

/// A record that cannot be the row of its ID. Its texts are those of the window's rows.
struct IdConflict {
    Row record;
    LocalTime row_time{};  ///< of the row
};

/// The row stays, and the other record goes to the rejects. Inside a write transaction; throws
/// SQLite::Exception.
class IdConflicts {
  public:
    IdConflicts(SQLite::Database& sql, const Zone& zone, const Stream& stream)
        : sql_(sql), zone_(zone), stream_(stream) {}

    RowRule rule_of(const sync::WholeWindow& whole) const;

    /// The record as a reject, with its reason.
    Reject reject_of(const IdConflict& conflict) const;

    /// Whether the file has this reject already.
    bool known(const Reject& reject) const;

    /// The window that has to be read again if a row of this time may only have moved.
    Window seconds_of(LocalTime time) const;

    /// The times of the rejects that have one of these IDs: each of them can be the row now.
    std::vector<LocalTime> kept_with(const std::vector<std::int64_t>& ids) const;

  private:
    LocalTime chosen_of(std::int64_t id, const std::vector<LocalTime>& times,
                        const LocalPeriod& proven) const;

    SQLite::Database& sql_;
    const Zone& zone_;
    const Stream& stream_;
};

}  // namespace mirror::storage

// Which of the rows that a whole read did not return count as removed.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/sync/store.hpp"
#include "core/time/zone.hpp"
#include "storage/doubt_ledger.hpp"
#include "storage/id_conflicts.hpp"
#include "storage/removals.hpp"

namespace SQLite {
class Database;
}

namespace mirror::storage {

/// A few missing rows are removed at once. A mass of them (see plan/mass_removal.hpp) may also be a
/// mistake of the API: nothing is marked, the periods are in doubt, and a read an hour later
/// decides. What counts is all that was read within an hour by this object, in however many
/// windows.
class RemovalGuard {
  public:
    RemovalGuard(SQLite::Database& sql, const Zone& zone, const Stream& stream)
        : zone_(zone), removals_(sql, zone, stream), doubts_(sql, stream) {}

    struct Result {
        std::vector<std::int64_t> marked;  ///< IDs that have removed_at now
        std::uint64_t unmarked =
            0;                      ///< rows that were marked within the hour, and are in doubt now
        std::uint64_t doubted = 0;  ///< rows in doubt that this window did not return
    };

    /// See Removals::may_be_needed().
    bool may_be_needed(const sync::WholeWindow& whole) { return removals_.may_be_needed(whole); }

    /// After the window's rows were written. Rows before `expired_before` are left as they are.
    /// `now`: this machine's clock.
    Result apply(const sync::WholeWindow& whole, const std::vector<IdConflict>& conflicts,
                 std::optional<Instant> expired_before, const WriteTimes& times, Instant now);

    /// A window in which the file had no rows that could be gone.
    void settle(const Window& window) { doubts_.settle(window); }

    /// To be called after a rollback.
    void forget() { tally_ = {}; }

  private:
    struct Marked {
        Window window;
        std::vector<std::int64_t> ids;
    };
    /// What was read within an hour.
    struct Tally {
        Instant since{};
        std::uint64_t held = 0;
        std::uint64_t gone = 0;
        bool mass = false;
        std::vector<Marked> marked;
    };

    void mark(const Window& window, std::vector<std::int64_t> ids, const WriteTimes& times,
              Result& result);
    void doubt(const Window& window, std::uint64_t rows, const WriteTimes& times, Instant now,
               Result& result);

    const Zone& zone_;
    Removals removals_;
    DoubtLedger doubts_;
    Tally tally_;
};

}  // namespace mirror::storage

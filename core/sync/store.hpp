// What the mirror asks of a storage, for one stream. The storage implements it; core knows no SQL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "core/plan/recheck.hpp"
#include "core/plan/statistics_audit.hpp"
#include "core/plan/unread_window.hpp"
#include "core/plan/version_sample.hpp"
#include "core/record/records.hpp"
#include "core/record/stream.hpp"
#include "core/time/window.hpp"

namespace mirror::sync {

/// A window that was read whole: everything that one transaction makes of it.
struct WholeWindow {
    Window window;  ///< what was asked; its ends are aligned (see Zone::align_down)
    Window proven;  ///< the part of it that becomes covered (age 0); may be empty
    /// What becomes covered at ages above 0.
    std::vector<plan::AgedWindow> aged;
    /// Every record once (by ID). There may be rows from just outside the window: they are true,
    /// too.
    Records records;
    /// The server's clock when the window was counted, UTC.
    Instant read_at{};
    /// Rows of the file before this moment may have expired at the API: they are not missing.
    std::optional<Instant> expired_before{};
};

/// A row whose ID came back with another time and another mailing: another event.
struct ReplacedRow {
    std::int64_t id = 0;
    LocalTime time{};
    std::optional<std::int64_t> mailing;
    std::string time_before;  ///< as the file had it
    std::optional<std::int64_t> mailing_before;
};

/// What a transaction changed.
struct Written {
    std::uint64_t inserted = 0;
    std::uint64_t updated = 0;
    std::uint64_t unchanged = 0;
    std::uint64_t rejected = 0;  ///< rejects of these windows, known before or not
    std::uint64_t removed = 0;   ///< rows that their window did not return any more
    /// Rows that were removed by earlier transactions of this run and are not any more: so many at
    /// once may be a mistake.
    std::uint64_t unmarked = 0;
    std::uint64_t doubted = 0;  ///< missing rows that are not marked: a read an hour later decides
    /// IDs that turned out to be those of two records; of a single transaction, not of a sum.
    std::vector<std::int64_t> repeated_ids;
    /// No longer covered, to be read again at once: a record with a repeated ID may have moved.
    WindowSet read_again;
    /// Of the updated, the first few of each window; of a single transaction, too.
    std::vector<ReplacedRow> replaced;

    Written& operator+=(const Written& other) {
        inserted += other.inserted;
        updated += other.updated;
        unchanged += other.unchanged;
        rejected += other.rejected;
        removed += other.removed;
        unmarked += other.unmarked;
        doubted += other.doubted;
        read_again.add(other.read_again);
        // `repeated_ids` and `replaced` are reported when they are written: nobody reads the sum,
        // which could grow for as long as a run lasts.
        return *this;
    }
};

/// What the `runs` table keeps of one run of the program.
struct RunRecord {
    std::string kind;   ///< "sync", "backfill", …: the command
    Window period;      ///< what it was asked to complete
    Instant started{};  ///< UTC
    std::optional<Instant> ended;
    std::uint64_t requests = 0;
    Written written;
    std::string outcome;  ///< "running", "done", "incomplete", "failed: …", "stopped"
    std::vector<plan::UnreadWindow> unread;
};

/// The newest rows in the file: where a window must begin so that a reply without rows
/// contradicts what is known.
struct NewestRows {
    LocalTime time{};        ///< the greatest timestamp before the bound asked for
    std::uint64_t rows = 0;  ///< how many rows have it
};

/// One record on which the API and the file do not agree.
struct RowDifference {
    enum class Kind {
        missing,  ///< the API shows it, the file does not have it
        gone,     ///< the file has it, the API does not show it any more
        changed,  ///< both have it, with other values
    };
    LocalTime time{};
    std::int64_t id = 0;
    Kind kind = Kind::missing;
};

/// Requests of the UTC day at hand, of all processes on the file.
struct RequestsToday {
    std::int64_t granted = 0;  ///< of what was wanted
    std::uint64_t total = 0;   ///< with these
};

/// What became of rewriting a portion.
enum class Rewriting {
    none,  ///< nothing is to be rewritten, or another process is at it
    more,  ///< there is more to do
    done,  ///< this was the last of it
};

/// What erase_older() did.
struct ErasedPortion {
    std::uint64_t records = 0;  ///< rows and rejects that are gone
    bool more = false;          ///< older ones are left
};

/// Where to cut.
enum class RowFreeNear {
    begin,   ///< as early as possible
    middle,  ///< with about half of the rows on each side, and not at a bound
    end,     ///< as late as possible
};

/// Rejects without a time lie anywhere in the window of the reply that had them. These lie in a
/// window of which a part is outside of the period.
struct UnplacedRejects {
    std::uint64_t counted = 0;  ///< Store::count() has them, and they may lie outside
    std::uint64_t others = 0;   ///< it has not, and they may lie inside
};

/// Every call throws storage errors (see storage/sqlite/errors.hpp) that end the run: none is worth
/// another try by the caller. Calls may be made one after another without waiting; they are
/// carried out in order. They are not cancelled: a transaction at hand is finished.
class Store {
  public:
    virtual ~Store() = default;

    /// Whose rows, coverage, runs and facts these are. The account and the count of requests are
    /// the whole file's.
    virtual const Stream& stream() const = 0;

    /// The file's coverage of an age, in seconds, as it is now.
    virtual boost::asio::awaitable<WindowSet> coverage(std::int64_t age) = 0;

    /// Rows, rejects and coverage of whole windows, in one transaction. Rows of the file that a
    /// proven period did not return any more get `removed_at`, unless they may have expired (see
    /// plan::first_shown() and WholeWindow::expired_before); rows that came into a period that was
    /// covered before count as late. `server_now` is the server's clock, UTC.
    virtual boost::asio::awaitable<Written> commit(std::vector<WholeWindow> windows,
                                                   Instant server_now) = 0;

    /// Takes coverage of every age away.
    virtual boost::asio::awaitable<void> uncover(WindowSet windows) = 0;

    /// Periods in which a mass of rows was missing, noticed at `latest` (this machine's clock) or
    /// before. Reading them whole settles it.
    virtual boost::asio::awaitable<WindowSet> doubts(Instant latest) = 0;

    /// Rows of the local period [begin, end) that the API does not show any more.
    virtual boost::asio::awaitable<std::uint64_t> count_removed(LocalTime begin, LocalTime end) = 0;

    /// Rows and rejects of the local period [begin, end] with both ends, not counting rows that
    /// were removed.
    virtual boost::asio::awaitable<std::uint64_t> count(LocalTime begin, LocalTime end) = 0;

    /// Rejects of which it is not known whether they lie in the local period [begin, end].
    virtual boost::asio::awaitable<UnplacedRejects> unplaced_rejects(LocalTime begin,
                                                                     LocalTime end) = 0;

    /// What the local period [begin, end) has of each mailing, or of one of them; of a stream
    /// without a StatisticsForm, which mailings it has, as far as its rows are mailings or name
    /// them.
    virtual boost::asio::awaitable<plan::MailingCounts> mailing_counts(
        LocalTime begin, LocalTime end, std::optional<std::int64_t> mailing) = 0;

    /// How the whole windows differ from the file; changes nothing. The windows must stay where
    /// they are until it returns.
    virtual boost::asio::awaitable<std::vector<RowDifference>> compare(
        const std::vector<WholeWindow>& windows) = 0;

    /// A second of [begin, end] where the file has nothing in it nor in the seconds beside it, as
    /// near as can be to the place asked for. Nothing if there is none near.
    virtual boost::asio::awaitable<std::optional<LocalTime>> row_free_second(LocalTime begin,
                                                                             LocalTime end,
                                                                             RowFreeNear near) = 0;

    /// The time of the row of [begin, end) that has half of the others before it; nothing if
    /// it has none.
    virtual boost::asio::awaitable<std::optional<LocalTime>> middle_row(LocalTime begin,
                                                                        LocalTime end) = 0;

    /// The time of the n-th record (from 0) of [begin, end) in the order of time: rows that were
    /// not removed, and rejects that have a time. Nothing if there are not so many.
    virtual boost::asio::awaitable<std::optional<LocalTime>> nth_record(LocalTime begin,
                                                                        LocalTime end,
                                                                        std::uint64_t n) = 0;

    /// Covered periods of age 0 whose end has another local time today than it had when it was
    /// written: the rules of the zone were others then.
    virtual boost::asio::awaitable<WindowSet> covered_by_other_rules() = 0;

    /// Rows before `begin` have expired at the API: those that were marked as removed since then
    /// are not. Returns how many rows are older than `begin`.
    virtual boost::asio::awaitable<std::uint64_t> settle_expired(LocalTime begin,
                                                                 Instant removed_since) = 0;

    /// Deletes all rows before `begin`. Returns how many.
    virtual boost::asio::awaitable<std::uint64_t> prune_before(LocalTime begin) = 0;

    /// Erases a portion of what is older than `before`, oldest first, for good. Other calls are
    /// carried out meanwhile.
    virtual boost::asio::awaitable<ErasedPortion> erase_older(LocalTime before) = 0;

    /// Cuts a portion of the whole file's rows and rejects to what is kept of addresses and user
    /// agents, if they have more. Other calls are carried out meanwhile.
    virtual boost::asio::awaitable<Rewriting> rewrite_portion() = 0;

    /// Deletes rows of the local period [begin, end) that the API does not show any more. Returns
    /// how many.
    virtual boost::asio::awaitable<std::uint64_t> prune(LocalTime begin, LocalTime end) = 0;

    /// Counts the rows anew, for what `status` says, in case others have changed them.
    virtual boost::asio::awaitable<void> recount() = 0;

    virtual boost::asio::awaitable<std::optional<NewestRows>> newest_rows(LocalTime before) = 0;

    /// The newest rows before that, so many at the most, without those that were removed.
    virtual boost::asio::awaitable<std::vector<plan::SampledRow>> newest_sample(
        LocalTime before, std::size_t most) = 0;

    /// Starts, then rewrites, this process's row in `runs`.
    virtual boost::asio::awaitable<void> record_run(RunRecord run) = 0;

    /// Writes the account at first use, and makes what the configuration wants of the stream's
    /// table. Throws when the file belongs to another account.
    virtual boost::asio::awaitable<void> claim_account(std::string id, std::string name) = 0;

    /// Counts requests of the UTC day of `now` (our clock): what may be made of `wanted` so that
    /// the day's total stays within `limit` (0: no limit). Negative: what was counted and not made.
    virtual boost::asio::awaitable<RequestsToday> spend_requests(Instant now, std::int64_t wanted,
                                                                 std::uint64_t limit) = 0;

    /// A fact of the stream; absent if it was never set.
    virtual boost::asio::awaitable<std::optional<std::string>> fact(std::string key) = 0;
    virtual boost::asio::awaitable<void> set_fact(std::string key, std::string value) = 0;
    /// Several facts in one transaction.
    virtual boost::asio::awaitable<void> set_facts(std::map<std::string, std::string> facts) = 0;
};

}  // namespace mirror::sync

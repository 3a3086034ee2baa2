// One run against one account: who is it, what time is it, what is missing, fetch it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "core/copernica/api.hpp"
#include "core/copernica/client.hpp"
#include "core/sync/audit.hpp"
#include "core/sync/fetch_pipeline.hpp"
#include "core/sync/observer.hpp"
#include "core/sync/settings.hpp"
#include "core/sync/store.hpp"
#include "core/time/clock.hpp"

namespace mirror::sync {

/// The file and the API do not agree on how many records there are.
struct CountDifference {
    std::uint64_t api = 0;
    std::uint64_t file_least = 0;  ///< before the next tail
    std::uint64_t file_most = 0;   ///< after it
};

/// What a run came to.
struct Outcome {
    Window period;  ///< what it was to complete
    Written written;
    std::uint64_t requests = 0;
    std::vector<plan::UnreadWindow> unread;
    std::optional<CountDifference> difference;
    std::optional<std::string> found;  ///< by an audit, and not put right

    bool whole() const { return unread.empty() && !difference && !found; }
};

/// A period in account-local time, as people give it.
struct BackfillRequest {
    LocalTime from{};
    std::optional<LocalTime> to;  ///< excluded; now where it is left out
    bool force = false;           ///< what is covered is fetched again, too
};

/// What an audit compares, in account-local time.
struct AuditRequest {
    std::optional<LocalTime> from;  ///< the begin of what is covered where it is left out
    std::optional<LocalTime> to;    ///< excluded; the end of what is covered where it is left out
    AuditOptions options;
};

/// Not reusable: one command, one session. Its calls throw what ends a run (sync/errors.hpp and
/// the storage's errors), operation_aborted when cancelled; the run's row in `runs` and the
/// last error are written in every case.
class Session {
  public:
    Session(const boost::asio::any_io_executor& executor, copernica::Api& api, Store& store,
            Clock& clock, Observer& observer, const Settings& settings);

    /// Brings everything since `settings.start` up to the server's settled now.
    boost::asio::awaitable<Outcome> sync();

    /// Fetches what is missing of a period.
    boost::asio::awaitable<Outcome> backfill(BackfillRequest request);

    /// Keeps the mirror up to date until cancelled: polls every `settings.poll_interval`, fills the
    /// past behind the polls, reads again what comes of age, has everything counted once a week.
    /// Trouble with the API or the token is waited out (with `settings.give_up_after` absent); what
    /// only a restart can mend is thrown.
    boost::asio::awaitable<void> run();

    /// Compares what is covered with the API's counts.
    boost::asio::awaitable<AuditReport> audit(AuditRequest request);

  private:
    // A run from its begin to its row in `runs`.
    boost::asio::awaitable<void> recorded(std::string kind, boost::asio::awaitable<void> work);
    boost::asio::awaitable<void> write_outcome(std::string error);
    boost::asio::awaitable<void> sync_now();
    boost::asio::awaitable<void> backfill_now(BackfillRequest request);
    boost::asio::awaitable<void> audit_now(AuditRequest request);

    static constexpr const char* run_kind = "run";  // of run(), in `runs`

    RunRecord run_record(std::string kind, std::string result) const;
    static std::string seconds_text(Instant at);

    boost::asio::awaitable<void> open();
    boost::asio::awaitable<void> cut_back_coverage();
    boost::asio::awaitable<void> check_zone();

    boost::asio::awaitable<Instant> following_since();
    boost::asio::awaitable<void> follow_tail(Window wanted, Instant earliest);
    boost::asio::awaitable<void> read_again(Instant since, std::optional<Monotonic> stop_after);
    boost::asio::awaitable<void> complete(
        WindowSet todo, std::optional<Window> first,
        std::optional<Monotonic> stop_after = std::nullopt,
        plan::Direction direction = plan::Direction::newest_first);
    boost::asio::awaitable<void> doubt_emptiness(Window period);
    boost::asio::awaitable<bool> agrees_since(LocalTime row, Instant end);
    boost::asio::awaitable<void> leave_out(WindowSet windows, std::string reason);
    boost::asio::awaitable<void> repair_counts(int round, Window period);
    boost::asio::awaitable<void> compare_counts(Instant begin);
    boost::asio::awaitable<bool> catch_up_and_compare_counts(Instant begin);
    boost::asio::awaitable<void> warn_of_late_hours(Instant mark_before,
                                                    std::optional<NewestRows> newest_before);
    Window everything() const;

    // run()
    boost::asio::awaitable<void> run_now();
    boost::asio::awaitable<void> follow();
    boost::asio::awaitable<void> poll(Monotonic due);
    boost::asio::awaitable<void> count_when_due(Instant begin);
    boost::asio::awaitable<void> watch();
    void keep_unread(const WindowSet& covered);
    boost::asio::awaitable<void> record_when_due();
    boost::asio::awaitable<void> note_error(std::string error);
    boost::asio::awaitable<void> note_success();
    boost::asio::awaitable<void> tell(std::optional<std::string> trouble);

    boost::asio::any_io_executor executor_;
    Store& store_;
    Clock& clock_;
    Observer& observer_;
    const Settings& settings_;
    copernica::Client client_;
    AdaptiveState adaptive_;
    Outcome outcome_;  // of the command, or of the poll at hand
    AuditReport audit_;
    Instant started_{};

    // run(): of all polls before the one at hand; what could not be read, and was not since; what
    // of it is not to be asked again for a while; what the file was told.
    Written written_;
    std::vector<plan::UnreadWindow> unread_;
    WindowSet postponed_;
    Monotonic unread_again_{};
    Monotonic count_again_{};
    Monotonic record_again_{};
    std::vector<plan::UnreadWindow> recorded_unread_;
    std::optional<std::string> noted_error_;
    std::optional<Instant> last_success_;

    bool file_is_ours_ = true;  // as far as known: false where it may be another account's
};

}  // namespace mirror::sync

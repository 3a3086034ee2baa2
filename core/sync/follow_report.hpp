// What the file and the observer are told of `run` while it goes on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "core/plan/unread_ledger.hpp"
#include "core/sync/outcome.hpp"
#include "core/sync/run_context.hpp"
#include "core/sync/run_recorder.hpp"

namespace mirror::sync {

/// The polls of the tail, or the rounds of the backlog.
struct FollowedWork {
    Outcome outcome;                     ///< of the one at hand
    std::optional<std::string> trouble;  ///< why the last one failed
};

/// Adds up what polls and rounds have done and could not read, and tells of it: the row in `runs`,
/// the facts for `status`, the observer. Of one stream.
class FollowReport {
  public:
    enum class Logged { not_yet, already };

    explicit FollowReport(RunContext& context) : context_(context), recorder_(context, "run") {}

    FollowedWork& tail() { return tail_; }
    FollowedWork& backlog() { return backlog_; }

    void begin() { recorder_.begin(); }

    /// To be called with cancellation disabled; throws what ended the run.
    boost::asio::awaitable<void> ended(RunRecorder::Ending ending);

    /// Takes the result of the poll or round before, however it ended, and begins the next.
    boost::asio::awaitable<void> begin_next(FollowedWork& work);

    /// Tells how things are after a successful poll or round.
    boost::asio::awaitable<void> conclude(FollowedWork& work);

    /// What the run is to complete, as far as it is known.
    void set_wanted(Window wanted) { wanted_ = wanted; }

    /// What could not be read, and is to be left alone until its second try is due.
    const WindowSet& postponed() const { return unread_.postponed(); }
    void retry_postponed_when_due();

    boost::asio::awaitable<void> note_error(std::string error, Logged logged = Logged::not_yet);
    boost::asio::awaitable<void> publish(std::optional<std::string> trouble);

  private:
    boost::asio::awaitable<void> note_success();
    boost::asio::awaitable<void> record_when_due();
    std::optional<std::string> what_is_wrong() const;
    void note_unread(Outcome& outcome, const WindowSet& covered);
    Outcome so_far() const;

    RunContext& context_;
    RunRecorder recorder_;

    FollowedWork tail_;
    FollowedWork backlog_;
    Window wanted_;
    Written written_;  // by all polls and rounds before those at hand
    plan::UnreadLedger unread_;
    Monotonic retry_unread_at_{};

    // What the file was told.
    Monotonic record_at_{};
    std::vector<plan::UnreadWindow> recorded_unread_;
    std::optional<std::string> noted_error_;
    std::optional<Instant> last_success_;
};

}  // namespace mirror::sync

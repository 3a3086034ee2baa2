// `run`: poll, fill the past behind the polls, recheck, count; until it is stopped.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "core/plan/audit_plan.hpp"
#include "core/plan/poll_pace.hpp"
#include "core/plan/poll_reach.hpp"
#include "core/plan/unread_ledger.hpp"
#include "core/sync/load_meter.hpp"
#include "core/sync/outcome.hpp"
#include "core/sync/preflight.hpp"
#include "core/sync/run_context.hpp"
#include "core/sync/run_recorder.hpp"
#include "core/util/async_condition.hpp"

namespace mirror::sync {

/// Keeps the mirror up to date until cancelled: polls every `settings.poll_interval`; beside the
/// polls, with connections of its own, fills the past, rereads what is due for a recheck, and has
/// everything counted once a week. So no trouble with the past holds up what is new.
/// Trouble with the API or the token is waited out (with `settings.give_up_after` absent); what
/// only a restart can mend is thrown.
class Follower {
  public:
    explicit Follower(RunContext& context)
        : context_(context),
          preflight_(context),
          recorder_(context, "run"),
          first_poll_(context.executor),
          reach_ended_(context.executor) {}

    boost::asio::awaitable<void> run();

  private:
    using Work = boost::asio::awaitable<void> (Follower::*)(Monotonic due);
    using Pause = Seconds (Follower::*)() const;

    // Is set as long as it lives.
    class Flag;

    enum class Logged { not_yet, already };

    boost::asio::awaitable<void> run_now();
    boost::asio::awaitable<void> follow();
    boost::asio::awaitable<void> keep_up();
    boost::asio::awaitable<void> repeat(Work work, Pause pause,
                                        std::optional<std::string>& trouble);
    boost::asio::awaitable<void> poll(Monotonic due);
    boost::asio::awaitable<Seconds> read_tail(Window wanted, Instant earliest);
    boost::asio::awaitable<Seconds> choose_reach(Instant end);
    boost::asio::awaitable<void> work_off_backlog(Monotonic due);
    boost::asio::awaitable<void> sleep_since(Monotonic begun, Pause pause);
    boost::asio::awaitable<void> read_backlog(Monotonic due);
    boost::asio::awaitable<void> look_for_late_rows(Instant end);
    Seconds poll_interval() const {
        return pace_.between(context_.settings.poll_interval, context_.settings.idle_poll_interval);
    }
    Seconds poll_pause() const;
    Seconds round_pause() const { return context_.settings.poll_interval; }
    void tell_budget();
    boost::asio::awaitable<void> keep_last(Outcome& outcome);
    boost::asio::awaitable<void> conclude(Outcome& outcome, bool is_poll);
    boost::asio::awaitable<void> count_when_due(Window past);
    boost::asio::awaitable<void> watch_outages();
    boost::asio::awaitable<void> record_when_due();
    boost::asio::awaitable<void> note_error(std::string error, Logged logged = Logged::not_yet);
    boost::asio::awaitable<void> note_success();
    boost::asio::awaitable<void> publish(std::optional<std::string> trouble);
    void note_unread(Outcome& outcome, const WindowSet& covered);
    Outcome so_far() const;
    std::string not_begun(const Window& wanted) const;

    RunContext& context_;
    Preflight preflight_;
    RunRecorder recorder_;

    plan::PollPace pace_;
    plan::PollReach reach_;
    bool late_rows_due_ = false;  // they are to be counted, as no page has room for them
    Monotonic count_late_at_{};
    std::optional<plan::BoundsMeaning> bounds_;  // of the API, as far as an audit has learned
    bool past_held_back_ = false;                // by the budget, in the last round
    std::string budget_told_;

    Instant following_since_{};
    Window period_;        // of the last poll
    Outcome tail_;         // of the poll at hand
    Outcome backlog_;      // of the round at hand
    Written written_;      // by all before them
    LoadMeter past_;       // which is filled round by round
    bool polled_ = false;  // once, well or not
    AsyncCondition first_poll_;
    // A tail that reaches back, and a round of the backlog, read the same periods: not at a time.
    bool reaching_ = false;
    bool backlog_at_work_ = false;
    bool reach_waits_ = false;  // for the end of a round: the next one waits for it
    AsyncCondition reach_ended_;
    std::optional<std::string> tail_trouble_;  // why the last poll failed
    std::optional<std::string> backlog_trouble_;
    plan::UnreadLedger unread_;
    Monotonic retry_unread_at_{};
    Monotonic count_at_{};

    // What the file was told.
    Monotonic record_at_{};
    std::vector<plan::UnreadWindow> recorded_unread_;
    std::optional<std::string> noted_error_;
    std::optional<Instant> last_success_;
};

}  // namespace mirror::sync

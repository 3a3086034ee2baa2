// What `run` does beside its polls: the past.
#pragma once

#include <optional>

#include <boost/asio/awaitable.hpp>

#include "core/plan/audit_plan.hpp"
#include "core/sync/follow_report.hpp"
#include "core/sync/load_meter.hpp"
#include "core/sync/past_turns.hpp"
#include "core/sync/run_context.hpp"
#include "core/sync/tail_follower.hpp"

namespace mirror::sync {

/// Works off the past in rounds: fills it, newest first; reads again what is due for a recheck;
/// counts once a week; looks for late rows; sweeps; erases what is not to be kept any longer.
class Backlog {
  public:
    Backlog(RunContext& context, FollowReport& report, PastTurns& turns, TailFollower& tail)
        : context_(context), report_(report), turns_(turns), tail_(tail) {}

    /// Since when the mirror follows the account; before the first round.
    void follow_since(Instant since) { following_since_ = since; }

    /// One round, as soon as it may begin. Begins nothing that can wait after `due`.
    boost::asio::awaitable<void> round(Monotonic due);

    /// By the day's budget of requests, in the last round.
    bool held_back() const { return held_back_; }

  private:
    boost::asio::awaitable<void> read(Monotonic due);
    boost::asio::awaitable<void> count_when_due(Window past);
    boost::asio::awaitable<void> look_for_late_rows(Instant end);

    RunContext& context_;
    FollowReport& report_;
    PastTurns& turns_;
    TailFollower& tail_;

    Instant following_since_{};
    LoadMeter past_;  // which is filled round by round
    bool held_back_ = false;
    Monotonic count_at_{};
    Monotonic count_late_at_{};
    std::optional<plan::BoundsMeaning> bounds_;  // of the API, as far as an audit has learned
};

}  // namespace mirror::sync

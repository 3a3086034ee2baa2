// The polls of `run`.
#pragma once

#include <chrono>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "core/plan/poll_pace.hpp"
#include "core/plan/poll_reach.hpp"
#include "core/sync/follow_report.hpp"
#include "core/sync/past_turns.hpp"
#include "core/sync/run_context.hpp"

namespace mirror::sync {

/// Late rows are counted in so much of the past if a page has no room for it.
inline constexpr std::chrono::hours late_rows_reach(6);

/// Reads what is new, and in the same request as much of the past as the page has room for.
class TailFollower {
  public:
    TailFollower(RunContext& context, FollowReport& report, PastTurns& turns)
        : context_(context), report_(report), turns_(turns) {}

    /// One poll: what there is since the last one.
    boost::asio::awaitable<void> poll();

    /// The configured pause between polls, longer while nothing comes.
    Seconds interval() const {
        return pace_.between(context_.settings.poll_interval, context_.settings.idle_poll_interval);
    }

    /// Whether late rows are to be counted, since no page has room for them. True once.
    [[nodiscard]] bool take_late_rows_due();

  private:
    boost::asio::awaitable<Seconds> read(Window wanted, Instant earliest, const WindowSet& covered);
    boost::asio::awaitable<Seconds> choose_reach(Instant end);
    std::string not_begun(const Window& wanted) const;

    RunContext& context_;
    FollowReport& report_;
    PastTurns& turns_;

    plan::PollPace pace_;
    plan::PollReach reach_;
    bool late_rows_due_ = false;
};

}  // namespace mirror::sync

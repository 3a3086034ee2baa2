// `run`: poll, fill the past behind the polls, recheck, count; until it is stopped.
#pragma once

#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "core/sync/backlog.hpp"
#include "core/sync/follow_report.hpp"
#include "core/sync/past_turns.hpp"
#include "core/sync/preflight.hpp"
#include "core/sync/run_context.hpp"
#include "core/sync/tail_follower.hpp"

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
          report_(context),
          turns_(context.executor),
          tail_(context, report_, turns_),
          backlog_(context, report_, turns_, tail_) {}

    boost::asio::awaitable<void> run();

  private:
    using Work = boost::asio::awaitable<void> (Follower::*)(Monotonic due);
    using Pause = Seconds (Follower::*)() const;

    boost::asio::awaitable<void> run_now();
    boost::asio::awaitable<void> follow();
    boost::asio::awaitable<void> keep_up();
    boost::asio::awaitable<void> repeat(Work work, Pause pause,
                                        std::optional<std::string>& trouble);
    boost::asio::awaitable<void> poll(Monotonic due);
    boost::asio::awaitable<void> work_off_backlog(Monotonic due);
    boost::asio::awaitable<void> sleep_since(Monotonic begun, Pause pause);
    boost::asio::awaitable<void> watch_outages();
    Seconds poll_pause() const;
    Seconds round_pause() const { return context_.settings.poll_interval; }
    void tell_budget();

    RunContext& context_;
    Preflight preflight_;
    FollowReport report_;
    PastTurns turns_;
    TailFollower tail_;
    Backlog backlog_;
    std::string budget_told_;
};

}  // namespace mirror::sync

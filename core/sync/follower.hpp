// `run`: poll, fill the past behind the polls, recheck, count; until it is stopped.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "core/plan/unread_ledger.hpp"
#include "core/sync/outcome.hpp"
#include "core/sync/preflight.hpp"
#include "core/sync/run_context.hpp"
#include "core/sync/run_recorder.hpp"

namespace mirror::sync {

/// Keeps the mirror up to date until cancelled: polls every `settings.poll_interval`, fills the
/// past behind the polls, rereads what is due for a recheck, has everything counted once a week.
/// Trouble with the API or the token is waited out (with `settings.give_up_after` absent); what
/// only a restart can mend is thrown.
class Follower {
  public:
    explicit Follower(RunContext& context)
        : context_(context), preflight_(context), recorder_(context, "run") {}

    boost::asio::awaitable<void> run();

  private:
    boost::asio::awaitable<void> run_now();
    boost::asio::awaitable<void> follow();
    boost::asio::awaitable<void> poll(Monotonic due);
    boost::asio::awaitable<void> keep_last_poll();
    boost::asio::awaitable<void> count_when_due(Instant begin);
    boost::asio::awaitable<void> watch_outages();
    boost::asio::awaitable<void> record_when_due();
    boost::asio::awaitable<void> note_error(std::string error);
    boost::asio::awaitable<void> note_success();
    boost::asio::awaitable<void> publish(std::optional<std::string> trouble);
    void note_unread(const WindowSet& covered);
    Outcome so_far() const;

    RunContext& context_;
    Preflight preflight_;
    RunRecorder recorder_;

    Outcome poll_;     // of the poll at hand
    Written written_;  // by all polls before it
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

// Who reads the past at the moment: a poll that reaches back, or a round of the backlog.
#pragma once

#include <optional>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "core/util/async_condition.hpp"

namespace mirror::sync {

/// Both would read the same periods, so they take turns. Of one stream, on one thread.
class PastTurns {
  public:
    explicit PastTurns(const boost::asio::any_io_executor& executor) : changed_(executor) {}

    /// As long as it lives, it is somebody's turn.
    class Turn {
      public:
        Turn(bool& taken, AsyncCondition& changed) : taken_(taken), changed_(changed) {
            taken_ = true;
        }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        ~Turn() {
            taken_ = false;
            changed_.notify_all();
        }

      private:
        bool& taken_;
        AsyncCondition& changed_;
    };

    /// A poll may reach back only if no round is at work.
    bool round_at_work() const { return round_; }
    /// Begins the turn of a poll that reaches back; `turn` is empty before.
    void begin_poll(std::optional<Turn>& turn) { turn.emplace(poll_, changed_); }
    /// Whether the next round waits until a poll has reached back.
    void let_poll_wait(bool waits) { poll_waits_ = waits; }

    /// Until a poll has ended, and none reaches back or waits for that: an empty file is to have
    /// the newest rows first.
    boost::asio::awaitable<void> until_round_may_begin() {
        while (!polled_ || poll_ || poll_waits_) {
            co_await changed_.wait();
        }
    }
    Turn begin_round() { return Turn(round_, changed_); }

    /// A poll or a round has ended. If the API failed it, nobody waits for its next try.
    void ended(bool succeeded) {
        polled_ = true;
        poll_waits_ = poll_waits_ && succeeded;
        changed_.notify_all();
    }

  private:
    bool polled_ = false;
    bool poll_ = false;
    bool round_ = false;
    bool poll_waits_ = false;
    AsyncCondition changed_;
};

}  // namespace mirror::sync

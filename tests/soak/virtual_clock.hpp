// Time for whole programs in a test: it passes only when everybody waits.
#pragma once

#include <chrono>
#include <functional>
#include <map>

#include "core/time/clock.hpp"

namespace mirror::soak {

/// Days pass in no time, and always in the same order. One thread.
class VirtualClock final : public Clock {
  public:
    explicit VirtualClock(Instant now) : start_(now) {}

    Instant utc() const override { return now() + error_; }
    Monotonic monotonic() const override { return Monotonic(passed_); }
    boost::asio::awaitable<void> sleep(std::chrono::milliseconds duration) override;

    /// What time it really is.
    Instant now() const { return start_ + std::chrono::floor<Seconds>(passed_); }
    /// How wrong utc() is.
    void set_error(Seconds error) { error_ = error; }
    /// Nobody may be asleep.
    void advance(std::chrono::milliseconds by) { passed_ += by; }

    /// Calls `then` after this much time, whatever is cancelled meanwhile.
    void call_after(std::chrono::milliseconds duration, std::function<void()> then);

    /// Moves time to the next of what is waited for, and lets that go on. False if there is
    /// none.
    bool pass();

    /// Forgets all that was waited for.
    void clear() { waiting_.clear(); }

  private:
    struct Alarm;

    Instant start_;
    std::chrono::milliseconds passed_{0};
    Seconds error_{0};
    // In the order of time, and of calls.
    std::multimap<std::chrono::milliseconds, std::function<void()>> waiting_;
};

}  // namespace mirror::soak

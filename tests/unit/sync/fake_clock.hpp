// A clock that tests own.
#pragma once

#include <chrono>
#include <functional>
#include <set>

#include <boost/asio/awaitable.hpp>

#include "core/time/clock.hpp"
#include "core/time/instant.hpp"

namespace mirror::tests {

/// Time passes only while a coroutine sleeps and none works, or if the test moves it. Of several
/// sleepers, the one that wakes first moves it.
class FakeClock final : public Clock {
  public:
    explicit FakeClock(Instant now) : start_(now) {}

    Instant utc() const override;
    Monotonic monotonic() const override { return Monotonic(passed_); }
    boost::asio::awaitable<void> sleep(std::chrono::milliseconds duration) override;

    /// What time it really is.
    Instant now() const { return start_ + std::chrono::floor<Seconds>(passed_); }
    void advance(std::chrono::milliseconds by) { passed_ += by; }
    void advance_to(Instant at);
    /// While held, sleepers go on sleeping.
    void hold(bool held) { held_ = held; }
    /// How wrong utc() is.
    void set_error(Seconds error) { error_ = error; }
    /// The machine is suspended for this long: its monotonic clock stops meanwhile.
    void suspend(Seconds duration) { start_ += duration; }

    /// Whether work goes on outside of the loop; may be empty.
    std::function<bool()> busy;
    /// Called when a sleeper has moved the time.
    std::function<void()> on_time;

  private:
    Instant start_;
    std::chrono::milliseconds passed_{0};
    std::multiset<std::chrono::milliseconds> wakes_;  // of those who sleep
    Seconds error_{0};
    bool held_ = false;
};

}  // namespace mirror::tests

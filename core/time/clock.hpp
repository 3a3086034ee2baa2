// The clock is handed in, so that tests own time.
#pragma once

#include <chrono>

#include <boost/asio/awaitable.hpp>

#include "core/time/instant.hpp"

namespace mirror {

/// Monotonic time; only differences mean anything.
using Monotonic = std::chrono::steady_clock::time_point;

/// The machine's clocks, and waiting by them.
class Clock {
  public:
    virtual ~Clock() = default;

    /// The machine's idea of UTC. It may be wrong and it may jump.
    virtual Instant utc() const = 0;

    /// Never jumps, never goes back.
    virtual Monotonic monotonic() const = 0;

    /// Suspends the calling coroutine. Ends early with boost::system::system_error
    /// (operation_aborted) when the coroutine is cancelled.
    virtual boost::asio::awaitable<void> sleep(std::chrono::milliseconds duration) = 0;
};

/// The real one.
class SystemClock final : public Clock {
  public:
    Instant utc() const override;
    Monotonic monotonic() const override;
    boost::asio::awaitable<void> sleep(std::chrono::milliseconds duration) override;
};

}  // namespace mirror

// The one way to the API: rate, backoff, and how many requests may be under way.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "core/time/clock.hpp"
#include "core/util/async_condition.hpp"

namespace mirror::copernica {

/// Lets requests through: never more in a second than allowed, never more at a time than there
/// are connections, and, while the server fails, one at a time with growing pauses. Single
/// thread.
class Throttle {
  public:
    struct Limits {
        unsigned requests_per_second = 10;
        unsigned connections = 4;
    };

    Throttle(const boost::asio::any_io_executor& executor, Clock& clock, const Limits& limits,
             std::uint64_t jitter_seed);

    /// The leave to make one request; the holder reports how it ended.
    class Permit {
      public:
        explicit Permit(Throttle& throttle);
        Permit(Permit&& other) noexcept;
        Permit& operator=(Permit&&) = delete;
        Permit(const Permit&) = delete;
        Permit& operator=(const Permit&) = delete;
        ~Permit();

        void succeeded();
        void failed(std::optional<std::chrono::seconds> retry_after);

      private:
        Throttle* throttle_;
        std::uint64_t failures_at_entry_;
    };

    /// Waits for leave. In the order of calls.
    boost::asio::awaitable<Permit> enter();

    /// How long nothing has succeeded although something was tried; zero while all is well.
    std::chrono::milliseconds failing_for() const;

    std::uint64_t requests() const { return requests_; }
    std::uint64_t successes() const { return successes_; }

  private:
    std::optional<std::chrono::milliseconds> pause() const;

    Clock& clock_;
    Limits limits_;
    std::mt19937_64 jitter_;
    AsyncCondition changed_;

    std::uint64_t next_ticket_ = 0;
    std::deque<std::uint64_t> queue_;
    unsigned under_way_ = 0;
    std::uint64_t requests_ = 0;
    std::uint64_t successes_ = 0;
    std::uint64_t failures_ = 0;
    unsigned failures_in_a_row_ = 0;
    std::optional<Monotonic> failing_since_;
    Monotonic not_before_{};
    std::deque<Monotonic> recent_;  // when the last requests went, as many as a second may see
};

}  // namespace mirror::copernica

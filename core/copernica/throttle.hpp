// The one way to the API: rate, backoff, and how many requests may be under way.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "core/copernica/request_rate.hpp"
#include "core/time/clock.hpp"
#include "core/util/async_condition.hpp"

namespace mirror::copernica {

/// Who asks. Each lane has backoff of its own, so that what fails in one does not hold up the
/// other.
enum class Lane : std::size_t {
    tail,     ///< what is new: it goes first, and may keep a connection for itself
    backlog,  ///< everything else
};

/// Lets requests through: never more in a second than allowed, never more at a time than there
/// are connections, and, while the server fails, one at a time with growing pauses. Single
/// thread.
class Throttle {
  public:
    struct Limits {
        unsigned requests_per_second = 10;
        unsigned connections = 4;
    };

    /// Whom a failure concerns.
    enum class Scope {
        request,  ///< as far as known, only the request: it alone is slowed down, by its caller
        server,   ///< all requests of the lane
    };

    Throttle(const boost::asio::any_io_executor& executor, Clock& clock, const Limits& limits,
             std::uint64_t jitter_seed);

    /// From now on, the backlog leaves a connection free for the tail, if there are two or more.
    void keep_connection_for_tail() { tail_has_connection_ = true; }

    /// Another configured rate, in effect within seconds.
    void set_rate(unsigned requests_per_second) { rate_.set_most(requests_per_second); }

    /// The next request does not wait for a pause that failures have caused, only for one that the
    /// server asked for. For the first request of a stream after another stream has given up.
    void end_pauses();

    /// Permission to make one call; the holder reports how it ended.
    class Permit {
      public:
        Permit(Throttle& throttle, Lane lane);
        Permit(Permit&& other) noexcept;
        Permit& operator=(Permit&&) = delete;
        Permit(const Permit&) = delete;
        Permit& operator=(const Permit&) = delete;
        ~Permit();

        /// Waits until one request may go, and counts it. To be awaited before each.
        boost::asio::awaitable<void> pass();

        void succeeded();
        void failed(std::optional<std::chrono::seconds> retry_after, Scope scope = Scope::server);
        /// The server says that requests come too fast.
        void too_fast(std::optional<std::chrono::seconds> retry_after);

      private:
        Throttle* throttle_;
        Lane lane_;
        std::uint64_t failures_at_entry_;
        std::uint64_t slowdowns_at_entry_;
    };

    /// Waits for a permit. In the order of calls, the tail first.
    boost::asio::awaitable<Permit> enter(Lane lane = Lane::backlog);

    /// How long to wait before the request is made again that has failed so often in a row.
    std::chrono::milliseconds pause_after(unsigned failures);

    /// How long nothing has succeeded although something was tried; zero while all is well.
    std::chrono::milliseconds failing_for() const;

    /// Requests that went out, and calls that succeeded.
    std::uint64_t requests() const { return requests_; }
    std::uint64_t successes() const { return successes_; }
    /// Requests a second that the server takes, as far as known.
    double rate() const { return rate_.now(); }

  private:
    struct LaneState {
        std::deque<std::uint64_t> waiting;  // for a permit
        std::deque<std::uint64_t> passing;  // wait for the rate
        unsigned under_way = 0;
        std::uint64_t failures = 0;
        unsigned failures_in_a_row = 0;
        Monotonic not_before{};
    };

    LaneState& state(Lane lane) { return lanes_[static_cast<std::size_t>(lane)]; }
    const LaneState& state(Lane lane) const { return lanes_[static_cast<std::size_t>(lane)]; }
    Monotonic held_until(Lane lane) const;
    bool may_enter(Lane lane) const;
    bool may_pass(Lane lane) const;
    std::optional<std::chrono::milliseconds> until(Monotonic moment) const;

    Clock& clock_;
    Limits limits_;
    std::mt19937_64 jitter_;
    AsyncCondition changed_;

    bool tail_has_connection_ = false;
    std::array<LaneState, 2> lanes_;
    std::uint64_t next_ticket_ = 0;
    std::uint64_t requests_ = 0;
    std::uint64_t successes_ = 0;
    std::optional<Monotonic> failing_since_;
    Monotonic asked_to_wait_until_{};  // by Retry-After
    RequestRate rate_;
    std::uint64_t slowdowns_ = 0;
};

}  // namespace mirror::copernica

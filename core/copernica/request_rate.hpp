// How many requests a second the server takes. Pure.
#pragma once

#include <chrono>
#include <deque>
#include <optional>

#include "core/time/clock.hpp"

namespace mirror::copernica {

/// Begins at the configured rate. "Too many requests" halves it, each success raises it a little:
/// additive increase, multiplicative decrease, as TCP does.
class RequestRate {
  public:
    /// Never slower than this, in requests a second.
    static constexpr double slowest = 0.1;
    /// What a success adds: at two a second, one request in fifty finds out that three are too
    /// many.
    static constexpr double step = 0.02;

    explicit RequestRate(unsigned most_per_second)
        : most_(most_per_second), now_(static_cast<double>(most_per_second)) {}

    /// In requests a second.
    double now() const { return now_; }

    /// Another configured rate: in effect for the next request. What has come down stays down.
    void set_most(unsigned most_per_second);

    void too_fast();
    void succeeded();

    /// The earliest moment at which the next request may go: in the time of N requests there are
    /// never more than N.
    Monotonic next() const;
    /// A request goes now.
    void went(Monotonic now);

  private:
    std::size_t burst() const;

    unsigned most_;
    double now_;
    std::deque<Monotonic> recent_;  // when the last requests went, as many as a second may see
};

}  // namespace mirror::copernica

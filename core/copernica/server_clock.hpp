// The server's clock, kept from the `Date` of its replies. Pure: the machine's clocks are handed
// in.
#pragma once

#include <optional>

#include "core/time/clock.hpp"
#include "core/time/instant.hpp"

namespace mirror::copernica {

/// Follows the API's clock without believing every reply: one stale or skewed `Date` in between
/// must not move what counts as now. Coverage hangs on it.
class ServerClock {
  public:
    /// How far a `Date` may lie from the expected time and still be taken at once.
    static constexpr Seconds tolerance{60};
    /// How many replies in a row must agree on a time that was not expected.
    static constexpr int agreement = 3;

    /// Until a reply has been accepted, the machine's UTC is what is expected.
    ServerClock(Instant machine_utc, Monotonic now);

    /// Takes a reply's `Date`; an absent one changes nothing.
    void observe(std::optional<Instant> date, Monotonic now);

    /// The expected time on the server: the last accepted `Date` plus monotonic time.
    Instant now(Monotonic now) const;

    /// Whether any `Date` has been accepted yet.
    bool accepted() const { return accepted_; }

    /// The last reply had a `Date` that was not expected, and has not been accepted yet.
    bool in_doubt() const { return candidate_.has_value(); }

    /// Up to when a reply with this `Date` speaks for the server: the earlier of the `Date` and
    /// the expected time, so that a wrong one on either side never proves too much. Nothing for a
    /// reply without a `Date`.
    std::optional<Instant> valid_until(std::optional<Instant> date, Monotonic now) const;

  private:
    struct Reading {
        Instant date;
        Monotonic at;
        Instant carried_to(Monotonic now) const;
    };

    Reading reading_;
    bool accepted_ = false;
    std::optional<Reading> candidate_;
    int agreeing_ = 0;
};

}  // namespace mirror::copernica

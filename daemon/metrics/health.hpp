// Whether `run` does its work: what /healthz answers.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/sync/observer.hpp"
#include "core/time/clock.hpp"

namespace mirror::daemon {

/// What is known of a run, by the clock that does not jump.
struct HealthFacts {
    std::optional<std::string> trouble;           ///< as sync::Following has it
    std::optional<Monotonic> last_success;        ///< of the last successful poll of this run
    Monotonic interval_since = Monotonic::min();  ///< when the poll interval became what it is
};

/// Nothing if all is well, else the reason in one line: a trouble that was reported (a refused
/// token, an outage, a period that cannot be read), or no successful poll, yet or for longer
/// than three intervals and five minutes, counted from the last change of the interval at the
/// earliest. Not how far behind: in the night in which the clock goes back, two hours are right.
/// Pure.
std::optional<std::string> why_unhealthy(const HealthFacts& facts, Monotonic now,
                                         Seconds poll_interval);

class Health final : public sync::Observer {
  public:
    /// `clock` must outlive it.
    Health(const Clock& clock, Seconds poll_interval)
        : clock_(clock), poll_interval_(poll_interval) {}

    void following(const sync::Following& state) override;

    /// Another one from now on.
    void set_poll_interval(Seconds poll_interval);

    /// Of the first stream that is not well, which is named if there are several.
    std::optional<std::string> why_not() const;

  private:
    const Clock& clock_;
    Seconds poll_interval_;
    Monotonic interval_since_ = Monotonic::min();
    struct Told {
        HealthFacts facts;
        std::optional<Instant> last_success;
    };
    std::map<const Stream*, Told> told_;  // by the stream that told it
};

}  // namespace mirror::daemon

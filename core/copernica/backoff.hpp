// How long to leave a server alone that fails. Pure.
#pragma once

#include <chrono>

namespace mirror::copernica {

/// Exponential backoff with full jitter: the wait is drawn evenly from nothing to a ceiling that
/// doubles with every failure in a row.
struct Backoff {
    static constexpr std::chrono::milliseconds first_ceiling{1000};
    static constexpr std::chrono::milliseconds last_ceiling{std::chrono::minutes(5)};
    /// A longer Retry-After is cut to this.
    static constexpr std::chrono::seconds longest_retry_after{std::chrono::hours(1)};

    /// The greatest wait after so many failures in a row (1 or more).
    static std::chrono::milliseconds ceiling(unsigned failures);

    /// The wait; `jitter` is drawn evenly from [0, 1).
    static std::chrono::milliseconds wait(unsigned failures, double jitter);

    /// What a Retry-After asks for, within reason.
    static std::chrono::seconds asked(std::chrono::seconds retry_after);
};

}  // namespace mirror::copernica

// What is logged of an outage that lasts: one line when it starts, a rare reminder, one line when
// it ends. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "core/time/clock.hpp"

namespace mirror::copernica {

class ApiError;

/// How requests fail.
enum class Trouble {
    no_answer,         ///< refused, cut off, timed out
    error_status,      ///< 429, 5xx and the like
    invalid_response,  ///< 200, but not a valid answer to the request
    unusable,          ///< a certificate that does not verify, a redirect that is not followed
};

Trouble trouble_of(const ApiError& error);

class OutageLog {
  public:
    /// Fewer failures in a row are not an outage: isolated failures are normal.
    static constexpr unsigned failures_to_start = 3;
    static constexpr std::chrono::hours reminder_interval{1};

    /// A request failed. `certain`: it cannot be the fault of what was asked for; an outage begins
    /// only if that was so of one of the failures. The line to log, if any.
    std::optional<std::string> failed(Trouble trouble, const std::string& why, Monotonic now,
                                      bool certain);

    /// A request succeeded. The line to log, if it ends an outage.
    std::optional<std::string> succeeded(Monotonic now);

    /// Why requests fail; empty unless an outage lasts.
    const std::optional<std::string>& reason() const { return reason_; }

  private:
    unsigned failures_ = 0;
    bool certain_ = false;
    Monotonic since_{};
    Monotonic last_said_{};
    Trouble last_trouble_ = Trouble::no_answer;
    std::optional<std::string> reason_;
};

}  // namespace mirror::copernica

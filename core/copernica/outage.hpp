// What is said of a trouble that lasts: one line when it starts, a rare reminder, one line when it
// ends. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "core/time/clock.hpp"

namespace mirror::copernica {

class OutageLog {
  public:
    /// Fewer failures in a row are no outage: a single one is every network's daily bread.
    static constexpr unsigned failures_to_start = 3;
    static constexpr std::chrono::hours reminder_interval{1};

    /// A request failed. The line to log, if any.
    std::optional<std::string> failed(const std::string& why, Monotonic now);

    /// A request succeeded. The line to log, if it ends an outage.
    std::optional<std::string> succeeded(Monotonic now);

    /// Why requests fail; nothing while there is no outage.
    const std::optional<std::string>& reason() const { return reason_; }

  private:
    unsigned failures_ = 0;
    Monotonic since_{};
    Monotonic last_said_{};
    std::optional<std::string> reason_;
};

}  // namespace mirror::copernica

// `check`: what the file says about itself. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/check/finding.hpp"
#include "daemon/status/status.hpp"
#include "storage/inspection.hpp"

namespace mirror::daemon {

/// What the file is to agree with, as far as it is known.
struct Expected {
    std::optional<std::string> account;  ///< ID of the token's
    std::optional<std::string> time_zone;
    Seconds poll_interval{60};
    std::vector<const Stream*> streams{&mirror::streams().front()};  ///< that are configured
};

/// The names of what judge_contents() finds, in its order.
const std::vector<std::string>& contents_checks();

Findings judge_contents(const Statuses& all, const Expected& expected);

Finding judge_soundness(const storage::SoundnessReport& report);

}  // namespace mirror::daemon

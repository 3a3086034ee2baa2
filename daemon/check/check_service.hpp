// `check`: how is the service?
#pragma once

#include <optional>
#include <string>

#include "daemon/check/finding.hpp"

namespace mirror::daemon {

struct ServiceState {
    bool systemd = false;  ///< it is what this machine was started with
    /// What `systemctl show` says of the unit; nothing where it does not answer.
    std::optional<std::string> properties;
    /// The same of the timer that runs `sync`, for those who prefer that.
    std::optional<std::string> timer;
};

/// Asks systemd, where there is one; waits a few seconds at the most.
ServiceState read_service_state();

/// Pure.
Finding judge_service(const ServiceState& state);

}  // namespace mirror::daemon

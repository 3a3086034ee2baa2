// `check`: is the service up?
#pragma once

#include <optional>

#include "daemon/check/finding.hpp"
#include "daemon/check/unit_state.hpp"

namespace mirror::daemon {

struct ServiceState {
    bool systemd = false;            ///< this machine was started with it
    std::optional<UnitState> unit;   ///< of the daemon; nothing: systemd does not answer
    std::optional<UnitState> timer;  ///< of the timer that runs `sync` instead
};

/// Asks systemd, if this machine has it; waits five seconds at most, in all.
ServiceState read_service_state();

/// Pure.
Finding judge_service(const ServiceState& state);

}  // namespace mirror::daemon

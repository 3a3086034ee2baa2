// `check`: is the service up?
#pragma once

#include <optional>
#include <string>

#include "daemon/check/finding.hpp"
#include "daemon/check/unit_state.hpp"

namespace mirror::daemon {

struct ServiceState {
    bool systemd = false;             ///< this machine was started with it
    std::optional<std::string> name;  ///< of the unit, without ".service"; nothing: there is none
    std::optional<UnitState> unit;    ///< of the daemon; nothing: systemd does not answer
    std::optional<UnitState> timer;   ///< of the timer that runs `sync` instead
};

/// Asks systemd for the unit of this name, if this machine has it; waits five seconds at most, in
/// all.
ServiceState read_service_state(std::optional<std::string> name);

/// Pure.
Finding judge_service(const ServiceState& state);

}  // namespace mirror::daemon

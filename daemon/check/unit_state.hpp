// The state of a systemd unit.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace mirror::daemon {

/// As systemd names them: "loaded", "active", "running", "enabled".
struct UnitState {
    std::string load;
    std::string active;
    std::string sub;
    std::string file;  ///< empty: neither enabled nor disabled
};

/// A D-Bus socket behind which systemd answers.
struct SystemdAddress {
    std::string address;  ///< as D-Bus writes it: "unix:path=…"
    bool broker = false;  ///< a message bus lies between
};

/// In the order in which they are tried: systemd's own socket, which root may use and which needs
/// no message bus, then the system's message bus.
const std::vector<SystemdAddress>& systemd_addresses();

/// Nothing if systemd does not answer at any of the addresses before the deadline. All but the last
/// one may take half of what is left of the time.
std::optional<UnitState> read_unit_state(
    const std::string& unit, std::chrono::steady_clock::time_point deadline,
    const std::vector<SystemdAddress>& addresses = systemd_addresses());

/// Why read_unit_state() returned nothing, for people.
const char* why_no_unit_state();

}  // namespace mirror::daemon

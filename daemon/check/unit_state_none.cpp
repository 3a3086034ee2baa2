// In place of unit_state_systemd.cpp if the program is built without libsystemd.
#include "daemon/check/unit_state.hpp"

namespace mirror::daemon {

const std::vector<SystemdAddress>& systemd_addresses() {
    static const std::vector<SystemdAddress> none;
    return none;
}

std::optional<UnitState> read_unit_state(const std::string&, std::chrono::steady_clock::time_point,
                                         const std::vector<SystemdAddress>&) {
    return std::nullopt;
}

const char* why_no_unit_state() {
    return "the program was built without libsystemd";
}

}  // namespace mirror::daemon

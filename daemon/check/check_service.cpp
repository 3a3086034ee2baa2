#include "daemon/check/check_service.hpp"

#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace mirror::daemon {
namespace {

constexpr const char* timer_name = "copernica-mirror-sync.timer";
constexpr std::chrono::seconds patience(5);

}  // namespace

ServiceState read_service_state(std::optional<std::string> name) {
    ServiceState state;
    state.name = std::move(name);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    std::error_code ignored;
    // sd_booted(3)
    state.systemd = std::filesystem::is_directory("/run/systemd/system", ignored);
    if (state.systemd && state.name) {
        state.unit = read_unit_state(*state.name + ".service", deadline);
    }
    // The timer is for the file of the first account.
    if (state.unit && state.name == "copernica-mirror") {
        state.timer = read_unit_state(timer_name, deadline);
    }
    return state;
}

Finding judge_service(const ServiceState& state) {
    constexpr const char* name = "service";
    if (!state.systemd) {
        return found_ok(name, "systemd does not run here: the program is not under systemd");
    }
    if (!state.name) {
        return found_ok(name, "none of the package's services has this configuration and database");
    }
    const std::string unit_name = *state.name + ".service";
    if (!state.unit) {
        return not_checked(name, why_no_unit_state());
    }
    const UnitState& unit = *state.unit;
    if (unit.load == "not-found") {
        return found_ok(name, fmt::format("{} is not installed", unit_name));
    }
    const std::string how =
        fmt::format("{} is {} ({}), {}", unit_name, unit.active, unit.sub,
                    unit.file.empty() ? "neither enabled nor disabled" : unit.file);
    if (unit.load != "loaded") {
        return found_warn(name, fmt::format("{} cannot be used: {}", unit_name, unit.load),
                          fmt::format("see systemctl status {}", unit_name));
    }
    if (unit.active == "failed" || unit.sub == "auto-restart") {
        return found_warn(name, how, fmt::format("see journalctl -u {}", unit_name));
    }
    if (unit.active != "active" && unit.active != "reloading") {
        if (state.timer && state.timer->active == "active") {
            return found_ok(name, fmt::format("{} is active and runs `sync`", timer_name));
        }
        return found_warn(name, how, fmt::format("systemctl enable --now {}", unit_name));
    }
    if (unit.file == "disabled") {
        return found_warn(
            name, how,
            fmt::format("it does not start after a reboot: systemctl enable {}", unit_name));
    }
    return found_ok(name, how);
}

}  // namespace mirror::daemon

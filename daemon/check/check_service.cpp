#include "daemon/check/check_service.hpp"

#include <chrono>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "daemon/check/subprocess.hpp"

namespace mirror::daemon {
namespace {

constexpr const char* unit = "copernica-mirror.service";
constexpr const char* timer = "copernica-mirror-sync.timer";
constexpr std::chrono::seconds patience(5);

// The value of a line "NAME=value".
std::string property(const std::string& lines, const std::string& name) {
    const std::string all = "\n" + lines;
    const auto at = all.find("\n" + name + "=");
    if (at == std::string::npos) {
        return {};
    }
    const auto begin = at + name.size() + 2;
    return all.substr(begin, all.find('\n', begin) - begin);
}

std::optional<std::string> properties_of(const char* name) {
    return output_of(
        {"systemctl", "show", name, "--property=LoadState,ActiveState,SubState,UnitFileState"},
        patience);
}

}  // namespace

ServiceState read_service_state() {
    ServiceState state;
    std::error_code ignored;
    // sd_booted(3)
    state.systemd = std::filesystem::is_directory("/run/systemd/system", ignored);
    if (state.systemd) {
        state.properties = properties_of(unit);
        state.timer = properties_of(timer);
    }
    return state;
}

Finding judge_service(const ServiceState& state) {
    constexpr const char* name = "service";
    if (!state.systemd) {
        return found_ok(name, "systemd does not run here: the program is not under systemd");
    }
    if (!state.properties) {
        return not_checked(name, "systemctl does not answer");
    }
    const std::string load = property(*state.properties, "LoadState");
    const std::string active = property(*state.properties, "ActiveState");
    const std::string sub = property(*state.properties, "SubState");
    const std::string file = property(*state.properties, "UnitFileState");
    if (load.empty() || active.empty()) {
        return not_checked(name, "systemctl says nothing of " + std::string(unit));
    }
    if (load == "not-found") {
        return found_ok(name, fmt::format("there is no {}", unit));
    }
    const std::string how = fmt::format("{} is {} ({}), {}", unit, active, sub,
                                        file.empty() ? "neither enabled nor disabled" : file);
    if (load != "loaded") {
        return found_warn(name, fmt::format("{} cannot be used: {}", unit, load),
                          fmt::format("see systemctl status {}", unit));
    }
    if (active == "failed" || sub == "auto-restart") {
        return found_warn(name, how, fmt::format("see journalctl -u {}", unit));
    }
    if (active != "active" && active != "reloading") {
        if (state.timer && property(*state.timer, "ActiveState") == "active") {
            return found_ok(name, fmt::format("{} is active and runs `sync`", timer));
        }
        return found_warn(name, how, fmt::format("systemctl enable --now {}", unit));
    }
    if (file == "disabled") {
        return found_warn(
            name, how,
            fmt::format("it does not come back after a reboot: systemctl enable {}", unit));
    }
    return found_ok(name, how);
}

}  // namespace mirror::daemon

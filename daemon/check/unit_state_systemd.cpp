#include <cstdint>
#include <cstdlib>
#include <memory>
#include <systemd/sd-bus.h>

#include "daemon/check/unit_state.hpp"

namespace mirror::daemon {
namespace {

using Clock = std::chrono::steady_clock;

struct Close {
    void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
};
using Bus = std::unique_ptr<sd_bus, Close>;

struct Free {
    void operator()(char* text) const { std::free(text); }
};
using Text = std::unique_ptr<char, Free>;

std::uint64_t microseconds_until(Clock::time_point deadline) {
    const auto left =
        std::chrono::duration_cast<std::chrono::microseconds>(deadline - Clock::now());
    return left.count() > 0 ? static_cast<std::uint64_t>(left.count()) : 0;
}

// sd-bus itself would wait 90 seconds for the other end to introduce itself.
bool is_ready(sd_bus* bus, Clock::time_point deadline) {
    int ready = 0;
    while ((ready = sd_bus_is_ready(bus)) == 0) {
        const int progress = sd_bus_process(bus, nullptr);
        if (progress < 0) {
            return false;
        }
        const std::uint64_t left = microseconds_until(deadline);
        if (progress == 0 && (left == 0 || sd_bus_wait(bus, left) < 0)) {
            return false;
        }
    }
    return ready > 0;
}

Bus connect(const SystemdAddress& where, Clock::time_point deadline) {
    sd_bus* raw = nullptr;
    if (sd_bus_new(&raw) < 0) {
        return nullptr;
    }
    Bus bus(raw);
    const bool connected = sd_bus_set_address(raw, where.address.c_str()) >= 0 &&
                           sd_bus_set_bus_client(raw, where.broker ? 1 : 0) >= 0 &&
                           sd_bus_start(raw) >= 0 && is_ready(raw, deadline);
    return connected ? std::move(bus) : nullptr;
}

std::optional<std::string> property(sd_bus* bus, const char* object, const char* name,
                                    Clock::time_point deadline) {
    char* value = nullptr;
    const std::uint64_t left = microseconds_until(deadline);
    // To sd-bus, 0 is its own default.
    if (left == 0 || sd_bus_set_method_call_timeout(bus, left) < 0 ||
        sd_bus_get_property_string(bus, "org.freedesktop.systemd1", object,
                                   "org.freedesktop.systemd1.Unit", name, nullptr, &value) < 0) {
        return std::nullopt;
    }
    const Text owned(value);
    return std::string(value);
}

std::optional<UnitState> ask(sd_bus* bus, const std::string& unit, Clock::time_point deadline) {
    char* path = nullptr;
    if (sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.c_str(), &path) < 0) {
        return std::nullopt;
    }
    // systemd loads the unit when its object is asked for, so it need not have been started.
    const Text owned(path);
    const auto load = property(bus, path, "LoadState", deadline);
    const auto active = load ? property(bus, path, "ActiveState", deadline) : std::nullopt;
    const auto sub = active ? property(bus, path, "SubState", deadline) : std::nullopt;
    const auto file = sub ? property(bus, path, "UnitFileState", deadline) : std::nullopt;
    if (!file) {
        return std::nullopt;
    }
    return UnitState{*load, *active, *sub, *file};
}

}  // namespace

const std::vector<SystemdAddress>& systemd_addresses() {
    static const std::vector<SystemdAddress> all{{"unix:path=/run/systemd/private", false},
                                                 {"unix:path=/run/dbus/system_bus_socket", true}};
    return all;
}

std::optional<UnitState> read_unit_state(const std::string& unit, Clock::time_point deadline,
                                         const std::vector<SystemdAddress>& addresses) {
    for (const SystemdAddress& where : addresses) {
        const bool is_last = &where == &addresses.back();
        const auto until = is_last ? deadline : Clock::now() + (deadline - Clock::now()) / 2;
        if (const Bus bus = connect(where, until)) {
            if (auto state = ask(bus.get(), unit, until)) {
                return state;
            }
        }
    }
    return std::nullopt;
}

const char* why_no_unit_state() {
    return "systemd does not answer";
}

}  // namespace mirror::daemon

#include "daemon/service/service_report.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "core/time/text.hpp"
#include "core/util/duration_text.hpp"
#include "core/util/printable.hpp"

namespace mirror::daemon {
namespace {

// More time to start is asked for this often, each time for so long from then on.
constexpr std::chrono::seconds opening_interval(5);
constexpr std::chrono::seconds opening_patience(60);

constexpr std::size_t longest_status = 800;

// What a person has to know of first: trouble, nothing complete, or the least that is.
bool is_worse(const sync::Following& left, const sync::Following& right) {
    const auto end = [](const sync::Following& state) {
        return state.complete ? state.complete->end : Instant::min();
    };
    if (left.trouble.has_value() != right.trouble.has_value()) {
        return left.trouble.has_value();
    }
    return end(left) < end(right);
}

}  // namespace

std::string service_status(const sync::Following& state, const Zone& zone, bool one_of_several) {
    std::string text;
    if (one_of_several) {
        text = fmt::format("{}: ", state.stream->name);
    }
    if (state.trouble) {
        text += *state.trouble + "; ";
    }
    if (!state.complete) {
        text += "nothing is complete yet";
    } else {
        const Seconds lag = std::max(state.server_now - state.complete->end, Seconds(0));
        text += fmt::format("complete through {} ({}), {} behind, and back to {}",
                            format_local(zone.to_local(state.complete->end)), zone.name(),
                            duration_text(lag), format_local(zone.to_local(state.complete->begin)));
    }
    // The API's own words may be in it, and a line's end would begin another message.
    return printable(text, longest_status);
}

ServiceReport::ServiceReport(ServiceManager& manager, const Clock& clock, Zone zone)
    : manager_(manager), clock_(clock), zone_(std::move(zone)) {}

void ServiceReport::opening() {
    const Monotonic now = clock_.monotonic();
    if (asked_for_time_ && now - *asked_for_time_ < opening_interval) {
        return;
    }
    asked_for_time_ = now;
    const std::chrono::microseconds patience(opening_patience);
    manager_.notify(
        fmt::format("STATUS=preparing the database\nEXTEND_TIMEOUT_USEC={}", patience.count()));
}

void ServiceReport::ready() {
    status_ = "the API is being asked for the first time";
    manager_.notify("READY=1\nSTATUS=" + status_);
}

// sd_notify(3)
void ServiceReport::reloading() {
    const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
        clock_.monotonic().time_since_epoch());
    manager_.notify(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.count()));
}

void ServiceReport::reloaded() {
    manager_.notify("READY=1");
}

void ServiceReport::stopping() {
    if (!stopping_) {
        stopping_ = true;
        manager_.notify("STOPPING=1\nSTATUS=finishing the last transaction");
    }
}

void ServiceReport::following(const sync::Following& state) {
    told_[state.stream] = state;
    const auto worst = std::min_element(
        told_.begin(), told_.end(),
        [](const auto& left, const auto& right) { return is_worse(left.second, right.second); });
    status_ = service_status(worst->second, zone_, told_.size() > 1);
    tell();
}

void ServiceReport::held_up(bool held_up) {
    if (held_up != held_up_) {
        held_up_ = held_up;
        tell();
    }
}

void ServiceReport::tell() {
    if (stopping_) {
        return;
    }
    manager_.notify(
        "STATUS=" +
        (held_up_ ? "the database makes no progress: the disk hangs, or another program holds it; "
                  : std::string()) +
        status_);
}

}  // namespace mirror::daemon

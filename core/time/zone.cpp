#include "core/time/zone.hpp"

#include <algorithm>

#include <date/tz.h>

namespace mirror {
namespace {

// date and std::chrono share the representation of system time.
date::sys_seconds to_date(Instant at) {
    return date::sys_seconds(at.time_since_epoch());
}
Instant from_date(date::sys_seconds at) {
    return Instant(at.time_since_epoch());
}

const date::time_zone* find_zone(const std::string& name) {
    try {
        return date::locate_zone(name);
    } catch (const std::exception&) {
        throw UnknownZone("\"" + name + "\" is not a time zone that this system knows");
    }
}

}  // namespace

Zone::Zone(const std::string& name) : name_(name), zone_(find_zone(name)) {}

LocalTime Zone::to_local(Instant at) const {
    return zone_->to_local(to_date(at));
}

Instant Zone::earliest(LocalTime local) const {
    const date::local_info info = zone_->get_info(local);
    if (info.result == date::local_info::nonexistent) {
        return from_date(info.first.end);
    }
    return Instant(local.time_since_epoch() - info.first.offset);
}

Instant Zone::latest(LocalTime local) const {
    const date::local_info info = zone_->get_info(local);
    if (info.result == date::local_info::ambiguous) {
        return Instant(local.time_since_epoch() - info.second.offset);
    }
    return earliest(local);
}

LocalPeriod Zone::span(const Window& window) const {
    LocalPeriod span{to_local(window.begin), to_local(window.end)};
    // Between two changes of the offset local time runs straight, so the extremes lie at the
    // window's ends and at the changes inside it.
    date::sys_info info = zone_->get_info(to_date(window.begin));
    while (from_date(info.end) < window.end) {
        const LocalTime ends_at(info.end.time_since_epoch() + info.offset);
        info = zone_->get_info(info.end);
        const LocalTime goes_on_at(info.begin.time_since_epoch() + info.offset);
        span.begin = std::min(span.begin, goes_on_at);
        if (goes_on_at < ends_at) {  // put back: what was shown before is shown again
            span.end = std::max(span.end, ends_at);
        }
    }
    if (from_date(info.end) == window.end) {  // the change itself is outside, what it ends is not
        span.end = std::max(span.end, LocalTime(info.end.time_since_epoch() + info.offset));
    }
    return span;
}

LocalTime Zone::second_before(LocalTime local) const {
    const LocalTime before = local - Seconds(1);
    const date::local_info info = zone_->get_info(before);
    if (info.result != date::local_info::nonexistent) {
        return before;
    }
    return LocalTime(info.first.end.time_since_epoch() + info.first.offset) - Seconds(1);
}

LocalTime Zone::second_after(LocalTime local) const {
    const LocalTime after = local + Seconds(1);
    const date::local_info info = zone_->get_info(after);
    if (info.result != date::local_info::nonexistent) {
        return after;
    }
    return LocalTime(info.second.begin.time_since_epoch() + info.second.offset);
}

std::vector<Window> Zone::repeated_stretches(const Window& window) const {
    // A stretch lies around a change that puts clocks back, as far on both sides as they are put
    // back: less than a day, everywhere and always.
    constexpr std::chrono::hours reach(24);
    std::vector<Window> stretches;
    date::sys_info info = zone_->get_info(to_date(window.begin - reach));
    while (from_date(info.end) < window.end + reach) {
        const date::sys_info next = zone_->get_info(info.end);
        const Seconds back = info.offset - next.offset;
        const Window stretch{from_date(info.end) - back, from_date(info.end) + back};
        if (!stretch.empty() && !intersection(stretch, window).empty()) {
            stretches.push_back(stretch);
        }
        info = next;
    }
    return stretches;
}

Window Zone::stretch_around(Instant at) const {
    for (const Window& stretch : repeated_stretches({at - Seconds(1), at + Seconds(1)})) {
        if (stretch.begin < at && at < stretch.end) {
            return stretch;
        }
    }
    return {};
}

bool Zone::touches_repeated_hour(const Window& window) const {
    return !repeated_stretches(window).empty();
}

Instant Zone::align_down(Instant at) const {
    const Window stretch = stretch_around(at);
    return stretch.empty() ? at : stretch.begin;
}

Instant Zone::align_up(Instant at) const {
    const Window stretch = stretch_around(at);
    return stretch.empty() ? at : stretch.end;
}

}  // namespace mirror

#include "core/time/zone.hpp"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#include <algorithm>

namespace mirror {
namespace {

absl::Time to_absl(Instant at) {
    return absl::FromUnixSeconds(at.time_since_epoch().count());
}

Instant from_absl(absl::Time at) {
    return Instant(Seconds(absl::ToUnixSeconds(at)));
}

absl::CivilSecond to_civil(LocalTime local) {
    return absl::CivilSecond(1970) + local.time_since_epoch().count();
}

// Names of zones, not what else the library takes: paths, "localtime", "Fixed/UTC+01:00:00".
bool is_zone_name(const std::string& name) {
    const auto allowed = [](unsigned char c) {
        return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') ||
               c == '/' || c == '_' || c == '-' || c == '+';
    };
    return !name.empty() && name.front() != '/' && std::all_of(name.begin(), name.end(), allowed) &&
           name != "localtime" && name.rfind("Fixed/", 0) != 0;
}

absl::TimeZone load(const std::string& name) {
    absl::TimeZone zone;
    if (!is_zone_name(name) || !absl::LoadTimeZone(name, &zone)) {
        throw UnknownZone("\"" + name + "\" is not a time zone that this system knows");
    }
    return zone;
}

}  // namespace

struct Zone::Rules {
    absl::TimeZone zone;

    absl::TimeZone::TimeInfo at(LocalTime local) const { return zone.At(to_civil(local)); }
};

Zone::Zone(const std::string& name)
    : name_(name), rules_(std::make_shared<const Rules>(Rules{load(name)})) {}

LocalTime Zone::to_local(Instant at) const {
    return LocalTime(at.time_since_epoch() + Seconds(rules_->zone.At(to_absl(at)).offset));
}

std::optional<Instant> Zone::next_change(Instant after) const {
    absl::TimeZone::CivilTransition change;
    for (Instant at = after; rules_->zone.NextTransition(to_absl(at), &change);) {
        // The first second that is skipped, or that is shown again: its change is this one.
        at = from_absl(rules_->zone.At(std::min(change.from, change.to)).trans);
        if (change.from != change.to) {
            return at;
        }
    }
    return std::nullopt;
}

Instant Zone::earliest(LocalTime local) const {
    const absl::TimeZone::TimeInfo info = rules_->at(local);
    return from_absl(info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre);
}

Instant Zone::latest(LocalTime local) const {
    const absl::TimeZone::TimeInfo info = rules_->at(local);
    return info.kind == absl::TimeZone::TimeInfo::REPEATED ? from_absl(info.post) : earliest(local);
}

LocalPeriod Zone::span(const Window& window) const {
    LocalPeriod span{to_local(window.begin), to_local(window.end)};
    // Between two changes of the offset local time runs straight, so the extremes lie at the
    // window's ends and at the changes inside it.
    for (auto change = next_change(window.begin); change && *change <= window.end;
         change = next_change(*change)) {
        const LocalTime ends_at = to_local(*change - Seconds(1)) + Seconds(1);
        const LocalTime resumes_at = to_local(*change);
        if (*change < window.end) {  // else the change itself is outside, what it ends is not
            span.begin = std::min(span.begin, resumes_at);
        }
        if (resumes_at < ends_at) {  // put back: what was shown before is shown again
            span.end = std::max(span.end, ends_at);
        }
    }
    return span;
}

LocalTime Zone::second_before(LocalTime local) const {
    const LocalTime before = local - Seconds(1);
    const absl::TimeZone::TimeInfo info = rules_->at(before);
    return info.kind == absl::TimeZone::TimeInfo::SKIPPED
               ? to_local(from_absl(info.trans) - Seconds(1))
               : before;
}

LocalTime Zone::second_after(LocalTime local) const {
    const LocalTime after = local + Seconds(1);
    const absl::TimeZone::TimeInfo info = rules_->at(after);
    return info.kind == absl::TimeZone::TimeInfo::SKIPPED ? to_local(from_absl(info.trans)) : after;
}

std::vector<Window> Zone::repeated_stretches(const Window& window) const {
    // A stretch lies around a change that puts clocks back, as far on both sides as they are put
    // back: less than a day, everywhere and always.
    constexpr std::chrono::hours reach(24);
    std::vector<Window> stretches;
    for (auto change = next_change(window.begin - reach); change && *change < window.end + reach;
         change = next_change(*change)) {
        const Seconds back = to_local(*change - Seconds(1)) + Seconds(1) - to_local(*change);
        const Window stretch{*change - back, *change + back};
        if (!stretch.empty() && !intersection(stretch, window).empty()) {
            stretches.push_back(stretch);
        }
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

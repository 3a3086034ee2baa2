#include "daemon/cli/point_in_time.hpp"

#include <charconv>

#include <fmt/format.h>

#include "core/time/text.hpp"
#include "daemon/config/units.hpp"
#include "daemon/process/usage_error.hpp"

namespace mirror::daemon {
namespace {

constexpr std::size_t date_size = 10;

std::optional<int> two_digits(std::string_view text) {
    int value = 0;
    if (text.size() != 2) {
        return std::nullopt;
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + 2, value);
    if (error != std::errc() || end != text.data() + 2 || value < 0) {
        return std::nullopt;
    }
    return value;
}

// Takes "Z", "+HH:MM", "+HHMM" or "+HH" from the end of a time of day.
struct Split {
    std::string_view local;
    std::optional<Seconds> offset;
};

std::optional<Split> split_offset(std::string_view text) {
    if (text.ends_with('Z')) {
        return Split{text.substr(0, text.size() - 1), Seconds(0)};
    }
    const auto sign = text.find_first_of("+-", date_size);
    if (sign == std::string_view::npos) {
        return Split{text, std::nullopt};
    }
    const std::string_view offset = text.substr(sign + 1);
    const bool colon = offset.size() == 5 && offset[2] == ':';
    if (!colon && offset.size() != 4 && offset.size() != 2) {
        return std::nullopt;
    }
    const auto hours = two_digits(offset.substr(0, 2));
    const auto minutes = offset.size() == 2 ? 0 : two_digits(offset.substr(colon ? 3 : 2));
    if (!hours || !minutes || *hours > 14 || *minutes > 59) {
        return std::nullopt;
    }
    const Seconds east = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
    return Split{text.substr(0, sign), text[sign] == '-' ? -east : east};
}

}  // namespace

std::optional<PointInTime> parse_point_in_time(std::string_view text) {
    if (text == "today") {
        return Midnight{0};
    }
    if (text == "yesterday") {
        return Midnight{1};
    }
    if (const auto duration = parse_duration(text)) {
        return Ago{*duration};
    }
    if (text.size() <= date_size) {
        const auto midnight = parse_time(text);
        return midnight ? std::optional<PointInTime>(*midnight) : std::nullopt;
    }
    const auto split = split_offset(text);
    const auto local =
        split && split->local.size() > date_size ? parse_time(split->local) : std::nullopt;
    if (!local) {
        return std::nullopt;
    }
    if (split->offset) {
        return Instant(local->time_since_epoch() - *split->offset);
    }
    return *local;
}

LocalTime local_time_of(const PointInTime& point, Instant now, const Zone& zone) {
    struct Resolve {
        Instant now;
        const Zone& zone;

        LocalTime operator()(LocalTime local) const { return local; }
        LocalTime operator()(Instant at) const { return zone.to_local(at); }
        LocalTime operator()(Midnight day) const {
            return std::chrono::floor<std::chrono::days>(zone.to_local(now)) -
                   std::chrono::days(day.days_ago);
        }
        LocalTime operator()(Ago ago) const { return zone.to_local(now - ago.duration); }
    };
    return std::visit(Resolve{now, zone}, point);
}

Instant instant_of(const PointInTime& point, bool begins, Instant now, const Zone& zone) {
    if (const Instant* const at = std::get_if<Instant>(&point)) {
        return *at;
    }
    if (const Ago* const ago = std::get_if<Ago>(&point)) {
        return now - ago->duration;
    }
    const LocalTime local = local_time_of(point, now, zone);
    return begins ? zone.earliest(local) : zone.latest(local);
}

// Moments are compared: in the hour that clocks show twice, a later one may look earlier.
void refuse_future(const std::string& name, const std::optional<PointInTime>& point, Instant now,
                   const Zone& zone) {
    if (!point || instant_of(*point, true, now, zone) <= now) {
        return;
    }
    throw UsageError(fmt::format("{} {} is in the future: it is {} in {}; name an earlier time",
                                 name, format_local(local_time_of(*point, now, zone)),
                                 format_local(zone.to_local(now)), zone.name()));
}

std::optional<std::string> clock_change_note(const std::string& name, LocalTime local, bool begins,
                                             const Zone& zone) {
    const Instant first = zone.earliest(local);
    if (zone.to_local(first) != local) {
        return fmt::format("{} {} does not exist in {}: clocks went forward then, so {} is meant",
                           name, format_local(local), zone.name(),
                           format_local(zone.to_local(first)));
    }
    const Instant last = zone.latest(local);
    if (last == first) {
        return std::nullopt;
    }
    const Instant meant = begins ? zone.align_down(first) : zone.align_up(last);
    return fmt::format(
        "{} {} occurs twice in {}, because clocks went back then, so the period {} {} and has all "
        "of both passes",
        name, format_local(local), zone.name(), begins ? "begins at" : "ends at",
        format_local(zone.to_local(meant)));
}

}  // namespace mirror::daemon

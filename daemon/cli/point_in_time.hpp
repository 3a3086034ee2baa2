// A moment as people give it to --from and --to.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/time/instant.hpp"
#include "core/time/zone.hpp"

namespace mirror::daemon {

/// Midnight of a day, counted back from today, in the account's zone.
struct Midnight {
    int days_ago = 0;
    friend bool operator==(const Midnight&, const Midnight&) = default;
};

/// So long before now.
struct Ago {
    Seconds duration{};
    friend bool operator==(const Ago&, const Ago&) = default;
};

/// LocalTime: in the account's zone. Instant: it came with its own offset.
using PointInTime = std::variant<LocalTime, Instant, Midnight, Ago>;

/// "YYYY-MM-DD", with or without a time of day ("HH:MM" or "HH:MM:SS", after a space or a T),
/// which may end in "Z" or an offset ("+02:00"); "today", "yesterday"; or a duration such as "7d".
std::optional<PointInTime> parse_point_in_time(std::string_view text);

/// What parse_point_in_time() takes, for people.
inline constexpr const char* points_in_time =
    "YYYY-MM-DD, \"YYYY-MM-DD HH:MM:SS\", today, yesterday, or how long ago, for example 7d";

/// The account-local time that is meant.
LocalTime local_time_of(const PointInTime& point, Instant now, const Zone& zone);

/// The moment that is meant. Of a local time that clocks showed twice, the first one if a period
/// begins at it, else the last one.
Instant instant_of(const PointInTime& point, bool begins, Instant now, const Zone& zone);

/// Throws UsageError if `point`, which `name` gave, is later than `now`, this machine's clock.
void refuse_future(const std::string& name, const std::optional<PointInTime>& point, Instant now,
                   const Zone& zone);

/// What people should know if local clocks never showed `local`, or showed it twice. `begins`: it
/// is where a period begins, else where one ends.
std::optional<std::string> clock_change_note(const std::string& name, LocalTime local, bool begins,
                                             const Zone& zone);

}  // namespace mirror::daemon

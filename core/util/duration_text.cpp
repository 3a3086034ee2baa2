#include "core/util/duration_text.hpp"

#include <algorithm>
#include <cstdint>

namespace mirror {
namespace {

using std::chrono::seconds;

constexpr seconds minute{60};
constexpr seconds hour{3600};
constexpr seconds day{86400};

// From these on, the smaller unit says nothing that matters.
constexpr seconds only_minutes = 2 * minute;
constexpr seconds with_hours = 2 * hour;
constexpr seconds with_days = 2 * day;
constexpr seconds only_days = 14 * day;

std::string with_unit(std::int64_t number, const char* unit) {
    return std::to_string(number) + " " + unit;
}

std::string two_units(std::int64_t large, const char* large_unit, std::int64_t small,
                      const char* small_unit) {
    const std::string text = with_unit(large, large_unit);
    return small == 0 ? text : text + " " + with_unit(small, small_unit);
}

}  // namespace

std::string duration_text(seconds duration) {
    duration = std::max(duration, seconds(0));
    if (duration < only_minutes) {
        return with_unit(duration.count(), "s");
    }
    if (duration < with_hours) {
        return with_unit(duration / minute, "min");
    }
    if (duration < with_days) {
        return two_units(duration / hour, "h", duration % hour / minute, "min");
    }
    if (duration < only_days) {
        return two_units(duration / day, "d", duration % day / hour, "h");
    }
    return with_unit(duration / day, "d");
}

}  // namespace mirror

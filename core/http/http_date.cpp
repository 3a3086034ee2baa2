#include "core/http/http_date.hpp"

#include <algorithm>

namespace mirror::http {
namespace {

// The number of `digits` digits at `at`, or -1.
int number(std::string_view text, std::size_t at, std::size_t digits) {
    int value = 0;
    for (const char c : text.substr(at, digits)) {
        if (c < '0' || c > '9') {
            return -1;
        }
        value = value * 10 + (c - '0');
    }
    return value;
}

// The place of the three letters at `at` in a list of such names, or -1.
int name(std::string_view text, std::size_t at, std::string_view names) {
    for (std::size_t place = 0; place * 3 < names.size(); ++place) {
        if (names.substr(place * 3, 3) == text.substr(at, 3)) {
            return static_cast<int>(place);
        }
    }
    return -1;
}

}  // namespace

std::optional<Instant> parse_http_date(std::string_view text) {
    constexpr std::string_view form = "???, ?? ??? ???? ??:??:?? GMT";
    const bool shaped = text.size() == form.size() &&
                        std::equal(form.begin(), form.end(), text.begin(), [](char wanted, char c) {
                            return wanted == '?' || wanted == c;
                        });
    if (!shaped) {
        return std::nullopt;
    }
    const int weekday = name(text, 0, "SunMonTueWedThuFriSat");
    const int day = number(text, 5, 2);
    const int month = name(text, 8, "JanFebMarAprMayJunJulAugSepOctNovDec");
    const int year = number(text, 12, 4);
    const int hour = number(text, 17, 2);
    const int minute = number(text, 20, 2);
    const int second = number(text, 23, 2);
    if (weekday < 0 || day < 0 || month < 0 || year < 0 || hour < 0 || hour > 23 || minute < 0 ||
        minute > 59 || second < 0 || second > 60) {
        return std::nullopt;
    }
    const std::chrono::year_month_day calendar{std::chrono::year(year),
                                               std::chrono::month(static_cast<unsigned>(month + 1)),
                                               std::chrono::day(static_cast<unsigned>(day))};
    if (!calendar.ok()) {
        return std::nullopt;
    }
    const std::chrono::sys_days date(calendar);
    if (std::chrono::weekday(date).c_encoding() != static_cast<unsigned>(weekday)) {
        return std::nullopt;
    }
    return date + std::chrono::hours(hour) + std::chrono::minutes(minute) +
           Seconds(std::min(second, 59));
}

}  // namespace mirror::http

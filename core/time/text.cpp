#include "core/time/text.hpp"

#include <cassert>
#include <cstdint>
#include <cstdio>

namespace mirror {
namespace {

// The two digits at `at`, or -1.
int two_digits(std::string_view text, std::size_t at) {
    const char tens = text[at];
    const char ones = text[at + 1];
    if (tens < '0' || tens > '9' || ones < '0' || ones > '9') {
        return -1;
    }
    return (tens - '0') * 10 + (ones - '0');
}

std::string format(std::chrono::sys_seconds at, char between, const char* behind) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day calendar(day);
    const std::chrono::hh_mm_ss<Seconds> clock(at - day);
    char text[40];
    const int length = std::snprintf(
        text, sizeof text, "%04d-%02u-%02u%c%02d:%02d:%02d%s", static_cast<int>(calendar.year()),
        static_cast<unsigned>(calendar.month()), static_cast<unsigned>(calendar.day()), between,
        static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
        static_cast<int>(clock.seconds().count()), behind);
    return {text, static_cast<std::size_t>(length)};
}

void write_two_digits(char* text, unsigned value) {
    text[0] = static_cast<char>('0' + value / 10);
    text[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::optional<LocalTime> parse_local(std::string_view text) {
    constexpr std::size_t length = 19;
    if (text.size() != length || text[4] != '-' || text[7] != '-' || text[10] != ' ' ||
        text[13] != ':' || text[16] != ':') {
        return std::nullopt;
    }
    const int century = two_digits(text, 0);
    const int year = two_digits(text, 2);
    const int month = two_digits(text, 5);
    const int day = two_digits(text, 8);
    const int hour = two_digits(text, 11);
    const int minute = two_digits(text, 14);
    const int second = two_digits(text, 17);
    if (century < 0 || year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0 ||
        hour > 23 || minute > 59 || second > 59) {
        return std::nullopt;
    }
    const std::chrono::year_month_day calendar{std::chrono::year(century * 100 + year),
                                               std::chrono::month(static_cast<unsigned>(month)),
                                               std::chrono::day(static_cast<unsigned>(day))};
    if (!calendar.ok()) {
        return std::nullopt;
    }
    return std::chrono::local_days(calendar) + std::chrono::hours(hour) +
           std::chrono::minutes(minute) + Seconds(second);
}

std::string format_local(LocalTime local) {
    return format(std::chrono::sys_seconds(local.time_since_epoch()), ' ', "");
}

void write_local(LocalTime local, char* text) {
    const auto day = std::chrono::floor<std::chrono::days>(local);
    const std::chrono::year_month_day calendar(day);
    const int year = static_cast<int>(calendar.year());
    assert(0 <= year && year <= 9999);
    const auto second = static_cast<unsigned>((local - day).count());
    write_two_digits(text, static_cast<unsigned>(year) / 100);
    write_two_digits(text + 2, static_cast<unsigned>(year) % 100);
    text[4] = '-';
    write_two_digits(text + 5, static_cast<unsigned>(calendar.month()));
    text[7] = '-';
    write_two_digits(text + 8, static_cast<unsigned>(calendar.day()));
    text[10] = ' ';
    write_two_digits(text + 11, second / 3600);
    text[13] = ':';
    write_two_digits(text + 14, second / 60 % 60);
    text[16] = ':';
    write_two_digits(text + 17, second % 60);
}

std::string format_utc(Instant at) {
    return format(std::chrono::sys_seconds(at.time_since_epoch()), 'T', "Z");
}

std::string format_day(Instant at) {
    constexpr std::size_t length = std::string_view("YYYY-MM-DD").size();
    return format_utc(at).substr(0, length);
}

std::string format_day(LocalTime local) {
    return format_day(Instant(local.time_since_epoch()));
}

}  // namespace mirror

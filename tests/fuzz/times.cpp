// Texts of times and numbers, against the C library's slow way.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>

#include "core/http/http_date.hpp"
#include "core/http/retry_after.hpp"
#include "core/time/text.hpp"
#include "core/util/decimal.hpp"
#include "daemon/config/units.hpp"
#include "tests/fuzz/target.hpp"

namespace mirror::fuzz {
namespace {

// What the form makes of the text, normalized by the calendar of the C library.
std::optional<std::tm> calendar(const std::string& text, const char* form) {
    std::tm fields{};
    const char* const end = strptime(text.c_str(), form, &fields);
    if (end == nullptr || *end != '\0' || text.find('\0') != std::string::npos) {
        return std::nullopt;
    }
    const std::time_t at = timegm(&fields);
    return *gmtime_r(&at, &fields);
}

std::int64_t seconds(std::tm fields) {
    return timegm(&fields);
}

// The one way to write a time; a text that differs from it is not to be read.
void check_local(const std::string& text) {
    const auto fields = calendar(text, "%Y-%m-%d %H:%M:%S");
    char canonical[80] = "";
    if (fields) {
        std::snprintf(canonical, sizeof canonical, "%04d-%02d-%02d %02d:%02d:%02d",
                      fields->tm_year + 1900, fields->tm_mon + 1, fields->tm_mday, fields->tm_hour,
                      fields->tm_min, fields->tm_sec);
    }
    const auto got = parse_local(text);
    require(got.has_value() == (fields && text == canonical), "parse_local: read, or not, wrongly");
    if (got) {
        require(got->time_since_epoch().count() == seconds(*fields), "parse_local: another time");
        require(format_local(*got) == text, "format_local: another text");
        require(daemon::parse_time(text) == got, "parse_time: another time");
    }
    if (text.size() == 10) {
        require(daemon::parse_time(text) == parse_local(text + " 00:00:00"),
                "parse_time: another day");
    }
}

void check_http_date(std::string text) {
    constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto got = http::parse_http_date(text);
    // A leap second reads as the second before it.
    if (text.size() == 29 && text.compare(22, 3, ":60") == 0) {
        text.replace(22, 3, ":59");
    }
    const auto fields = calendar(text, "%a, %d %b %Y %H:%M:%S GMT");
    char canonical[80] = "";
    if (fields) {
        std::snprintf(canonical, sizeof canonical, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                      days[fields->tm_wday], fields->tm_mday, months[fields->tm_mon],
                      fields->tm_year + 1900, fields->tm_hour, fields->tm_min, fields->tm_sec);
    }
    require(got.has_value() == (fields && text == canonical),
            "parse_http_date: read, or not, wrongly");
    require(!got || got->time_since_epoch().count() == seconds(*fields),
            "parse_http_date: another time");
}

void check_retry_after(const std::string& text) {
    constexpr Seconds year = std::chrono::hours(24) * 365;
    const Instant now{Seconds(784111777)};
    const auto got = http::parse_retry_after(text, now);
    const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
    const auto date = http::parse_http_date(text);
    require(got.has_value() == (digits || date.has_value()),
            "parse_retry_after: read, or not, wrongly");
    require(!got || (*got >= Seconds(0) && *got <= year), "parse_retry_after: out of bounds");
    if (digits) {
        const double expected = std::min(std::strtod(text.c_str(), nullptr), 31536000.0);
        require(static_cast<double>(got->count()) == expected, "parse_retry_after: another number");
    }
}

void check_duration(const std::string& text) {
    if (const auto got = daemon::parse_duration(text)) {
        require(*got >= Seconds(0) && *got <= Seconds(std::int64_t{100} * 366 * 86400),
                "parse_duration: out of bounds");
        const std::string shortest = daemon::format_duration(*got);
        require(daemon::parse_duration(shortest) == got, "format_duration: another duration");
        require(std::strtoll(text.c_str(), nullptr, 10) >= 0, "parse_duration: another sign");
    }
}

void check_decimal(const std::string& text) {
    errno = 0;
    const long long small = std::strtoll(text.c_str(), nullptr, 10);
    const bool is_small = errno == 0 && std::to_string(small) == text;
    require(read_decimal<std::int64_t>(text) ==
                (is_small ? std::optional<std::int64_t>(small) : std::nullopt),
            "read_decimal: another number");
    errno = 0;
    const unsigned long long large = std::strtoull(text.c_str(), nullptr, 10);
    const bool is_large = errno == 0 && std::to_string(large) == text;
    require(read_decimal<std::uint64_t>(text) ==
                (is_large ? std::optional<std::uint64_t>(large) : std::nullopt),
            "read_decimal: another number without sign");
}

}  // namespace

void times(std::string_view input) {
    const std::string text(input);
    check_local(text);
    check_http_date(text);
    check_retry_after(text);
    check_duration(text);
    check_decimal(text);
}

}  // namespace mirror::fuzz

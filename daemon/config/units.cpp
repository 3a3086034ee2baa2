#include "daemon/config/units.hpp"

#include <array>
#include <charconv>
#include <cstdint>

#include "core/time/text.hpp"

namespace mirror::daemon {
namespace {

struct Unit {
    char letter;
    std::int64_t seconds;
};

constexpr std::array units{Unit{'d', 86400}, Unit{'h', 3600}, Unit{'m', 60}, Unit{'s', 1}};

constexpr std::int64_t longest = std::int64_t{100} * 366 * 86400;

}  // namespace

std::optional<Seconds> parse_duration(std::string_view text) {
    if (text.size() < 2 || text.front() < '0' || text.front() > '9') {
        return std::nullopt;
    }
    for (const Unit& unit : units) {
        if (text.back() != unit.letter) {
            continue;
        }
        std::int64_t number = 0;
        const char* const last = text.data() + text.size() - 1;
        const auto [end, error] = std::from_chars(text.data(), last, number);
        if (error != std::errc() || end != last || number > longest / unit.seconds) {
            return std::nullopt;
        }
        return Seconds(number * unit.seconds);
    }
    return std::nullopt;
}

std::string format_duration(Seconds duration) {
    for (const Unit& unit : units) {
        if (duration.count() != 0 && duration.count() % unit.seconds == 0) {
            return std::to_string(duration.count() / unit.seconds) + unit.letter;
        }
    }
    return "0s";
}

std::optional<LocalTime> parse_time(std::string_view text) {
    constexpr std::size_t date_size = 10;
    constexpr std::size_t size_without_seconds = 16;
    std::string full(text);
    if (full.size() == date_size) {
        full += " 00:00:00";
    } else if (full.size() == size_without_seconds) {
        full += ":00";
    }
    if (full.size() > date_size && full[date_size] == 'T') {
        full[date_size] = ' ';
    }
    return parse_local(full);
}

}  // namespace mirror::daemon

#include "core/util/duration_text.hpp"

#include <chrono>
#include <limits>

#include <doctest/doctest.h>

using mirror::duration_text;
using std::chrono::seconds;

TEST_CASE("a length of time as people say it") {
    struct Row {
        std::int64_t duration;
        const char* text;
    };
    constexpr std::int64_t minute = 60;
    constexpr std::int64_t hour = 60 * minute;
    constexpr std::int64_t day = 24 * hour;
    const Row rows[] = {
        {std::numeric_limits<std::int64_t>::min(), "0 s"},
        {-1, "0 s"},
        {0, "0 s"},
        {1, "1 s"},
        {119, "119 s"},
        {2 * minute, "2 min"},
        {3 * minute - 1, "2 min"},
        {2 * hour - 1, "119 min"},
        {2 * hour, "2 h"},
        {3 * hour + 20 * minute + 59, "3 h 20 min"},
        {2 * day - 1, "47 h 59 min"},
        {2 * day, "2 d"},
        {12 * day + 5 * hour, "12 d 5 h"},
        {14 * day - 1, "13 d 23 h"},
        {14 * day, "14 d"},
        {50'246'061, "581 d"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.duration);
        CHECK(duration_text(seconds(row.duration)) == row.text);
    }
}

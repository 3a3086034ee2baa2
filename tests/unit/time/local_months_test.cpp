#include "core/time/local_months.hpp"

#include <algorithm>
#include <optional>

#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "tests/support/times.hpp"

using namespace mirror;
using mirror::tests::local;
using mirror::tests::utc;

namespace {

// The sum that the view `opens` makes.
std::optional<Instant> as_utc(const std::vector<LocalMonth>& months, LocalTime time) {
    const auto found = std::find_if(months.begin(), months.end(), [&](const LocalMonth& month) {
        return month.period.begin <= time && time < month.period.end;
    });
    if (found == months.end()) {
        return std::nullopt;
    }
    const auto midnight = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day day(midnight);
    return found->day_zero + std::chrono::days(static_cast<unsigned>(day.day())) +
           (time - midnight);
}

}  // namespace

TEST_CASE("local months: the sum is the zone's UTC, but for what occurs twice or never" *
          doctest::test_suite("long")) {
    using std::chrono::year;
    // Ordinary ones; half an hour, and a zone that skipped a day; one that went back a day.
    for (const char* const name : {"Europe/Amsterdam", "America/New_York", "UTC", "Asia/Kolkata",
                                   "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca"}) {
        CAPTURE(name);
        const Zone zone(name);
        const std::vector<LocalMonth> months = local_months(zone, year(2005), year(2030));
        CHECK(std::is_sorted(months.begin(), months.end(), [](const auto& a, const auto& b) {
            return a.period.end <= b.period.begin;
        }));
        std::size_t wrong = 0;
        std::size_t absent = 0;
        constexpr std::chrono::minutes step(15);
        for (LocalTime time = local("2005-01-01 00:00:00"); time < local("2031-01-01 00:00:00");
             time += step) {
            const auto sum = as_utc(months, time);
            const bool once = zone.earliest(time) == zone.latest(time) &&
                              zone.to_local(zone.earliest(time)) == time;
            wrong += (sum.has_value() != once || (sum && *sum != zone.earliest(time))) ? 1U : 0U;
            absent += sum ? 0 : 1;
        }
        CHECK(wrong == 0);
        const bool puts_clocks_back = zone.next_change(utc("2005-01-01 00:00:00")).has_value();
        CHECK((absent > 0) == puts_clocks_back);
    }
}

TEST_CASE("local months: a month with a change has two parts") {
    const std::vector<LocalMonth> months =
        local_months(Zone("Europe/Amsterdam"), std::chrono::year(2026), std::chrono::year(2026));
    REQUIRE(months.size() == 14);
    CHECK(months[0].period ==
          LocalPeriod{local("2026-01-01 00:00:00"), local("2026-02-01 00:00:00")});
    CHECK(months[0].day_zero == utc("2025-12-30 23:00:00"));
    CHECK(months[2].period.end == local("2026-03-29 02:00:00"));
    CHECK(months[3].period.begin == local("2026-03-29 03:00:00"));
    CHECK(months[10].period.end == local("2026-10-25 02:00:00"));
    CHECK(months[11].period.begin == local("2026-10-25 03:00:00"));
    CHECK(months[13].period.end == local("2027-01-01 00:00:00"));
}

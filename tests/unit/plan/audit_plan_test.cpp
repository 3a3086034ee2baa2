#include "core/plan/audit_plan.hpp"

#include <vector>

#include <doctest/doctest.h>

#include "core/time/text.hpp"

using namespace mirror;
using namespace mirror::plan;

namespace {

Instant at(std::int64_t seconds) {
    return Instant(Seconds(seconds));
}

AuditPlace gone_at(std::int64_t second) {
    AuditPlace place;
    place.window = {at(second), at(second + 1)};
    place.gone = 1;
    return place;
}

AuditPlace gone_from(std::int64_t begin, std::int64_t end, std::uint64_t rows) {
    AuditPlace place;
    place.window = {at(begin), at(end)};
    place.gone = rows;
    return place;
}

}  // namespace

TEST_CASE("an audit halves where that is cheaper than to read") {
    struct Example {
        std::uint64_t api;
        std::uint64_t file;
        bool halves;
    };
    const std::vector<Example> examples{
        {0, 0, false},
        {1000, 999, false},              // one page
        {2000, 1999, false},             // two counts would cost as much as the two pages
        {8000, 7999, true},              // one hole in eight pages
        {20'000'000, 19'999'997, true},  // three holes
        {20'000, 12'000, false},         // every page differs
        {12'000, 20'000, false},         // the same, deleted at the source
        {0, 20'000, false},              // nothing is left
        {20'000'000, 19'997'000, true},
        {20'000'000, 19'990'000, false},  // a hole in every second page
    };
    for (const Example& example : examples) {
        CAPTURE(example.api);
        CAPTURE(example.file);
        CHECK(worth_halving(example.api, example.file, 1000) == example.halves);
    }
}

TEST_CASE("places are joined to a handful, the closest first") {
    const std::vector<AuditPlace> few{gone_at(0), gone_at(10)};
    CHECK(join_places(few, 2) == few);
    CHECK(join_places({}, 2).empty());
    const std::vector<AuditPlace> places{gone_at(0), gone_at(10), gone_at(13), gone_at(100)};
    CHECK(join_places(places, 3) == std::vector{gone_at(0), gone_from(10, 14, 2), gone_at(100)});
    CHECK(join_places(places, 2) == std::vector{gone_from(0, 14, 3), gone_at(100)});
    CHECK(join_places(places, 1) == std::vector{gone_from(0, 101, 4)});
}

TEST_CASE("thousands of places at equal distances become as few as asked for") {
    std::vector<AuditPlace> places;
    for (std::int64_t i = 0; i < 8000; ++i) {
        places.push_back(gone_at(i * 60));
    }
    const std::vector<AuditPlace> joined = join_places(places, 48);
    CHECK(joined.size() == 48);
    std::uint64_t rows = 0;
    for (const AuditPlace& place : joined) {
        rows += place.gone;
    }
    CHECK(rows == 8000);
}

TEST_CASE("three seconds tell what the bounds mean, unless a row is not shown where it must be") {
    const LocalTime first = *parse_local("2026-06-01 12:00:00");
    const LocalTime second = first + Seconds(7);
    const LocalTime third = first + Seconds(9);
    const auto page = [](const std::vector<LocalTime>& times) {
        copernica::Page made;
        for (const LocalTime time : times) {
            made.rows.emplace_back().time = time;
        }
        return made;
    };
    const copernica::Page around = page({first, second, third});
    const auto meaning = [&](const std::vector<LocalTime>& between) {
        return bounds_meaning(around, page(between), first, second, third);
    };
    CHECK_FALSE(meaning({second})->begin_inclusive);
    CHECK_FALSE(meaning({second})->end_inclusive);
    CHECK(meaning({first, second})->begin_inclusive);
    CHECK_FALSE(meaning({first, second})->end_inclusive);
    CHECK(meaning({second, third})->end_inclusive);
    CHECK_FALSE(meaning({first, third}).has_value());
    CHECK_FALSE(meaning({}).has_value());
    CHECK_FALSE(bounds_meaning(page({first, second}), around, first, second, third).has_value());
    CHECK_FALSE(bounds_meaning(page({second, third}), around, first, second, third).has_value());
}

TEST_CASE("the query that counts a window exactly, whatever the bounds mean") {
    const Zone zone("Europe/Amsterdam");
    const Window hour{at(1'780'315'200), at(1'780'318'800)};  // 2026-06-01 14:00:00 local
    const auto query = [&](bool begin, bool end) {
        const copernica::PageQuery asked = exact_count_query(zone, hour, {begin, end});
        return format_local(asked.begintime) + " " + format_local(asked.endtime);
    };
    CHECK(query(false, false) == "2026-06-01 13:59:59 2026-06-01 15:00:00");
    CHECK(query(true, false) == "2026-06-01 14:00:00 2026-06-01 15:00:00");
    CHECK(query(false, true) == "2026-06-01 13:59:59 2026-06-01 14:59:59");
    CHECK(query(true, true) == "2026-06-01 14:00:00 2026-06-01 14:59:59");
}

TEST_CASE("an instant is plain unless its local second occurs twice or follows a gap") {
    const Zone zone("Europe/Amsterdam");
    const auto plain = [&](const char* local) {
        return is_plain(zone, zone.earliest(*parse_local(local)));
    };
    CHECK(plain("2026-06-01 12:00:00"));
    CHECK(plain("2026-10-25 01:59:59"));
    CHECK_FALSE(plain("2026-10-25 02:00:00"));
    CHECK_FALSE(plain("2026-10-25 02:30:00"));
    CHECK_FALSE(plain("2026-03-29 03:00:00"));  // the second before it is 01:59:59
    CHECK(plain("2026-03-29 03:00:01"));
}

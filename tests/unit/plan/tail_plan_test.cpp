#include "core/plan/tail_plan.hpp"

#include <doctest/doctest.h>

#include "core/time/text.hpp"

using namespace mirror;
using namespace mirror::plan;
using namespace std::chrono_literals;

namespace {

const Zone& amsterdam() {
    static const Zone zone("Europe/Amsterdam");
    return zone;
}

// 2026-06-01 12:00:00 UTC, 14:00:00 in Amsterdam.
const Instant noon = std::chrono::sys_days{std::chrono::year(2026) / 6 / 1} + 12h;

LocalTime local(Instant at) {
    return amsterdam().to_local(at);
}

TailSituation situation(Seconds behind) {
    TailSituation known;
    known.wanted = {noon - 24h, noon};
    known.coverage = WindowSet(Window{noon - 24h, noon - behind});
    known.earliest = noon - 24h;
    known.overlap = Seconds(120);
    return known;
}

}  // namespace

TEST_CASE("tail: it begins `overlap` before the high-water mark") {
    const TailPlan plan = plan_tail(situation(60s), amsterdam());
    REQUIRE(plan.first.has_value());
    CHECK(*plan.first == Window{noon - 60s - 120s, noon});
    CHECK(plan.direction == Direction::newest_first);
    CHECK(plan.todo.windows() == std::vector{Window{noon - 60s, noon}});
}

TEST_CASE("tail: it goes back as far as it is to reach, but not over a gap") {
    TailSituation known = situation(60s);
    known.reach = 6h;
    CHECK(plan_tail(known, amsterdam()).first->begin == noon - 6h);
    known.reach = 30s;
    CHECK(plan_tail(known, amsterdam()).first->begin == noon - 60s - 120s);
    known.reach = 6h;
    known.coverage.subtract({noon - 3h, noon - 2h});
    CHECK(plan_tail(known, amsterdam()).first->begin == noon - 2h);
    known.postponed.add({noon - 40min, noon - 30min});
    CHECK(plan_tail(known, amsterdam()).first->begin == noon - 30min);
}

TEST_CASE("tail: how far back it can reach") {
    const Window everything{noon - 24h, noon};
    WindowSet coverage(Window{noon - 24h, noon - 60s});
    WindowSet postponed;
    const auto reach = [&] { return unbroken_reach(coverage, postponed, everything); };
    CHECK(reach() == Seconds::max());
    coverage.subtract({noon - 3h, noon - 2h});
    CHECK(reach() == 2h);
    postponed.add({noon - 40min, noon - 30min});
    CHECK(reach() == 30min);
    CHECK(unbroken_reach({}, {}, everything) == Seconds::max());
}

TEST_CASE("tail: it reaches back to a row, which an empty reply would contradict") {
    TailSituation known = situation(60s);
    SUBCASE("a row an hour ago") {
        known.newest = NewestSecond{local(noon - 1h), 1};
        CHECK(plan_tail(known, amsterdam()).first->begin == noon - 1h);
    }
    SUBCASE("a row within the overlap") {
        known.newest = NewestSecond{local(noon - 90s), 1};
        CHECK(plan_tail(known, amsterdam()).first->begin == noon - 180s);
    }
    SUBCASE("too many rows in that second") {
        known.newest = NewestSecond{local(noon - 1h), 101};
        CHECK(plan_tail(known, amsterdam()).first->begin == noon - 180s);
    }
    SUBCASE("a row of six days ago") {
        known.earliest = noon - 24h * 30;
        known.newest = NewestSecond{local(noon - 24h * 6), 1};
        CHECK(plan_tail(known, amsterdam()).first->begin == noon - 24h * 6);
    }
    SUBCASE("an older row, which may have expired") {
        known.earliest = noon - 24h * 30;
        known.newest = NewestSecond{local(noon - 24h * 6 - 1s), 1};
        CHECK(plan_tail(known, amsterdam()).first->begin == noon - 180s);
    }
    SUBCASE("not before what is wanted") {
        known.earliest = noon - 30min;
        known.newest = NewestSecond{local(noon - 1h), 1};
        CHECK(plan_tail(known, amsterdam()).first->begin == noon - 30min);
    }
}

TEST_CASE("tail: it leaves alone what could not be read a moment ago") {
    TailSituation known = situation(60s);
    known.newest = NewestSecond{local(noon - 1h), 1};
    known.postponed.add({noon - 10min, noon - 5min});
    const TailPlan plan = plan_tail(known, amsterdam());
    CHECK(plan.first->begin == noon - 5min);
    known.postponed.add({noon - 30s, noon - 20s});
    CHECK(plan_tail(known, amsterdam()).todo.windows() ==
          std::vector{Window{noon - 60s, noon - 30s}, Window{noon - 20s, noon}});
}

TEST_CASE("tail: a long one is a gap like others, appended if nothing older is missing") {
    TailPlan plan = plan_tail(situation(3600s), amsterdam());
    CHECK(plan.first.has_value());
    plan = plan_tail(situation(3601s), amsterdam());
    CHECK_FALSE(plan.first.has_value());
    CHECK(plan.direction == Direction::oldest_first);
    CHECK(plan.todo.windows() == std::vector{Window{noon - 3601s - 120s, noon}});

    TailSituation with_gap = situation(3601s);
    with_gap.wanted.begin = noon - 48h;
    plan = plan_tail(with_gap, amsterdam());
    CHECK(plan.direction == Direction::newest_first);
    CHECK(plan.todo.windows().front() == Window{noon - 48h, noon - 24h});
}

TEST_CASE("tail: its begin is never inside the hour that occurs twice") {
    // 2026-10-25 00:00 to 02:00 UTC are the two passes of 02:00 to 03:00.
    const Instant passes = std::chrono::sys_days{std::chrono::year(2026) / 10 / 25} + 0h;
    TailSituation known;
    known.wanted = {passes - 24h, passes + 2h + 60s};
    known.coverage = WindowSet(Window{passes - 24h, passes + 2h});
    known.earliest = passes - 24h;
    known.overlap = Seconds(120);
    CHECK(plan_tail(known, amsterdam()).first->begin == passes);
}

TEST_CASE("zone: rows that come late by whole hours only tell of a zone behind ours") {
    const auto behind = [](Seconds age, Seconds mark_age) {
        return hours_behind(local(noon - age), noon - mark_age, noon, Seconds(120), amsterdam());
    };
    CHECK(behind(1h, 60s) == 1h);
    CHECK(behind(1h + 30s, 60s) == 1h);
    CHECK(behind(6h - 60s, 60s) == 6h);
    CHECK_FALSE(behind(30min, 60s).has_value());       // not a whole hour
    CHECK_FALSE(behind(1h + 10min, 60s).has_value());  // nor this
    CHECK_FALSE(behind(1h, 1h).has_value());           // it was not covered yet
    CHECK_FALSE(behind(27h, 60s).has_value());         // no two zones are so far apart
}

TEST_CASE(
    "tail: of a claim past the clock, as much before the clock is taken back, in whole hours") {
    const auto taken_back = [](Seconds beyond) {
        return noon - mistaken_coverage(noon, noon + beyond, Seconds(60)).begin;
    };
    CHECK(mistaken_coverage(noon, noon + 1h, Seconds(60)).end == noon + 1h);
    CHECK(taken_back(1s) == 0s);
    CHECK(taken_back(60s) == 0s);
    CHECK(taken_back(61s) == 1h);
    CHECK(taken_back(20min) == 1h);  // an hour, if it was claimed 40 minutes ago
    CHECK(taken_back(1h + 30s) == 1h);
    CHECK(taken_back(1h + 61s) == 2h);
    CHECK(taken_back(24h * 365) == 26h);
}

TEST_CASE(
    "zone: a newest row that is behind by whole hours convinces if it comes again and again") {
    struct Row {
        Seconds age;       // of the newest row
        Seconds mark_age;  // when the file was last brought up to date
        ZoneEvidence before, after;
    };
    const Row rows[] = {
        {1h, 60s, {}, {1h, 3}},               // late, and by a whole hour: at once
        {6h, 24h, {}, {6h, 1}},               // chance?
        {6h + 60s, 24h, {6h, 1}, {6h, 2}},    // still
        {6h - 60s, 24h, {6h, 2}, {6h, 3}},    // no chance
        {6h, 24h, {6h, 3}, {6h, 3}},          // as known
        {5h, 24h, {6h, 2}, {5h, 1}},          // something else
        {6h + 20min, 24h, {6h, 2}, {6h, 2}},  // says nothing
        {30s, 24h, {6h, 3}, {}},              // on time: all is well
        {57min, 24h, {6h, 3}, {}},            // so is this
        {40h, 24h * 7, {6h, 1}, {6h, 1}},     // no two zones are so far apart
    };
    for (const Row& row : rows) {
        CAPTURE(&row - rows);
        const ZoneEvidence after = weigh_zone(row.before, local(noon - row.age),
                                              noon - row.mark_age, noon, Seconds(120), amsterdam());
        CHECK(after.hours == row.after.hours);
        CHECK(after.times == row.after.times);
    }
    CHECK_FALSE(ZoneEvidence{6h, 2}.convincing());
    CHECK(ZoneEvidence{6h, 3}.convincing());
}

TEST_CASE("zone: a file of other rules is in doubt since the clocks last changed, or for a year") {
    const Instant november = std::chrono::sys_days{std::chrono::year(2026) / 11 / 23};
    const Instant october = std::chrono::sys_days{std::chrono::year(2026) / 10 / 25} + 1h;
    CHECK(rules_in_doubt_since(november, amsterdam()) == october - 26h);
    CHECK(rules_in_doubt_since(november, Zone("UTC")) == november - 24h * 366 - 26h);
}

// Whole runs with wrong zones and wrong clocks, and in the nights in which clocks change.
#include <algorithm>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "core/copernica/errors.hpp"
#include "core/sync/errors.hpp"
#include "core/sync/session.hpp"
#include "tests/unit/sync/live.hpp"
#include "tests/unit/sync/session_fixture.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::plan;
using namespace mirror::sync;
using namespace mirror::tests;
using namespace std::chrono_literals;
using copernica::ApiError;
using copernica::ErrorKind;

TEST_CASE("a configured zone that is behind the account's ends the run") {
    World world(noon, "Europe/London");
    world.model.zone = Zone("Europe/Amsterdam");
    fill(world.model, noon - 24h * 10, noon - 10s, 500, 3);
    world.model.add(noon - 1s);
    CHECK_THROWS_AS(world.sync(), WrongZone);
    CHECK(world.store.covered.empty());
    CHECK(world.store.runs.back().outcome.starts_with("failed: the API shows rows up to 1 h"));
}

TEST_CASE("rows of a zone behind the configured one are found, and told of") {
    for (const std::string zone : {"Europe/Athens", "Asia/Tokyo"}) {
        CAPTURE(zone);
        World world(noon, zone);
        world.model.zone = Zone("Europe/Amsterdam");
        for (int i = 0; i < 1000; ++i) {
            world.model.add(noon - 24h + Seconds(i * 100));
        }
        CHECK(world.sync().whole());
        for (int poll = 0; poll < 30; ++poll) {
            world.clock.advance(5min);
            CHECK(world.sync().whole());
            std::size_t there = 0;
            for (const LoggedRow& row : world.model.rows()) {
                there += row.at <= world.clock.now() - 30s ? 1 : 0;
            }
            CHECK(world.store.rows.size() >= there);
        }
        REQUIRE_FALSE(world.log.warnings.empty());
        CHECK(world.log.warnings.front().find(
                  zone == "Europe/Athens" ? "1 h behind" : "7 h behind") != std::string::npos);
    }
}

TEST_CASE("one Date in ten an hour fast or slow makes no false claim") {
    for (const Seconds skew : {Seconds(3600), Seconds(-3600)}) {
        for (int phase = 0; phase < 10; ++phase) {
            CAPTURE(phase);
            World world(noon);
            int replies = phase;
            world.api.date = [&](Instant now) -> std::optional<Instant> {
                return ++replies % 10 == 0 ? now + skew : now;
            };
            for (int i = 0; i < 2000; ++i) {
                world.model.add(noon - 1h + Seconds(i * 7));
            }
            for (int poll = 0; poll < 20; ++poll) {
                CHECK(world.sync().whole());
                CHECK((world.store.covered.empty() ||
                       world.store.covered.windows().back().end <= world.clock.now()));
                CHECK_EXACT(world);
                world.clock.advance(10min);
            }
            CHECK(world.store.covered.windows().size() == 1);
        }
    }
}

TEST_CASE("a wrong clock of this machine changes nothing") {
    for (const Seconds error : {Seconds(3600), Seconds(-3600), Seconds(86400 * 400)}) {
        World world(noon);
        world.clock.set_error(error);
        fill(world.model, noon - 24h * 10, noon - 10s, 500, 3);
        CHECK(world.sync().whole());
        CHECK(world.store.rows.size() == world.model.rows().size());
        CHECK(world.store.covered.windows().back().end <= world.clock.now());
        CHECK_EXACT(world);
    }
}

namespace {

std::size_t clock_warnings(const World& world) {
    return count(world.log.warnings, "this machine's clock is");
}

}  // namespace

TEST_CASE("a wrong clock of this machine is warned of once a day, by whatever fetches") {
    World world(noon);
    fill(world.model, noon - 24h * 10, noon - 10s, 500, 3);
    world.clock.set_error(2h);
    world.sync();
    REQUIRE(clock_warnings(world) == 1);
    CHECK(world.log.warnings.front() ==
          "this machine's clock is 2 h ahead of the API's; the mirror uses the API's clock, but "
          "set this one right (timedatectl set-ntp true)");
    world.clock.advance(23h);
    world.sync();
    CHECK(clock_warnings(world) == 1);
    world.clock.advance(2h);
    world.sync();
    CHECK(clock_warnings(world) == 2);
    world.clock.set_error(Seconds(0));
    world.clock.advance(25h);
    world.sync();
    CHECK(clock_warnings(world) == 2);
}

TEST_CASE("run: a wrong clock of this machine is warned of once a day, whenever it goes wrong") {
    Live world;
    world.follow_until(live_noon + 5h);
    CHECK(clock_warnings(world) == 0);
    world.clock.set_error(-400s);
    world.follow_until(live_noon + 5h + 72h - 10min);
    REQUIRE(clock_warnings(world) == 3);
    CHECK(world.log.warnings.back().find("6 min behind the API's") != std::string::npos);
    // The next process knows when that was.
    world.follow_until(live_noon + 5h + 80h);
    CHECK(clock_warnings(world) == 4);
}

TEST_CASE("run: this machine's clock is not suspected after a sleep, or for a single wrong Date") {
    Live world;
    int replies = 0;
    bool slept = false;
    world.api.date = [&](Instant now) -> std::optional<Instant> {
        return ++replies % 10 == 0 ? now + Seconds(3600) : now;
    };
    world.api.on_page = [&](const copernica::PageQuery&) {
        if (!slept && world.clock.now() >= live_noon + 2h) {
            slept = true;
            world.clock.suspend(9h);
        }
    };
    world.follow_until(live_noon + 30h);
    CHECK(slept);
    CHECK(clock_warnings(world) == 0);
}

TEST_CASE("replies without a Date prove nothing") {
    World world(noon);
    fill(world.model, noon - 24h * 10, noon - 10s, 500, 3);
    world.api.date = [](Instant) { return std::nullopt; };
    CHECK_THROWS_AS(world.sync(), ApiFailed);
    CHECK(world.store.covered.empty());
}

TEST_CASE("coverage that lies in the future is cut back with a warning, and as much read again") {
    World world(noon);
    fill(world.model, noon - 24h * 10, noon - 10s, 500, 3);
    CHECK(world.sync().whole());
    world.store.covered.add({noon - 1h, noon + 24h});
    // The run that claimed it looked a day ahead, and saw nothing of the day before.
    std::erase_if(world.store.rows, [&](const auto& row) {
        return row.second >= world.settings.zone.to_local(noon - 23h);
    });
    CHECK(world.sync().whole());
    CHECK(world.store.covered.windows().back().end <= world.clock.now());
    CHECK(world.log.warnings.size() == 1);
    CHECK(world.store.rows.size() == world.model.rows().size());
    CHECK_EXACT(world);
}

TEST_CASE("both nights in which the clocks change, polled" * doctest::test_suite("long")) {
    struct Night {
        const char* begin;
        const char* end;
    };
    for (const Night& night : {Night{"2026-10-24 20:00:00", "2026-10-25 05:00:00"},
                               Night{"2027-03-27 22:00:00", "2027-03-28 04:00:00"}}) {
        for (unsigned behaviour = 0; behaviour < 48; behaviour += 3) {
            CAPTURE(night.begin);
            CAPTURE(behaviour);
            World world(utc(night.begin));
            world.settings.start = local("2026-01-01 00:00:00");
            choose_behaviour(world.model, behaviour);
            const Instant begin = utc(night.begin);
            const Instant end = utc(night.end);
            for (Instant at = begin - 6h; at < end; at += Seconds(11)) {
                world.model.add(at);
            }
            std::vector<Instant> marks;
            for (Instant now = begin; now <= end; now += 10min) {
                world.clock.advance_to(now);
                const Outcome outcome = world.sync();
                CHECK(outcome.whole());
                CHECK(world.store.covered.windows().size() == 1);
                CHECK_EXACT(world);
                marks.push_back(world.store.covered.windows().back().end);
            }
            CHECK(std::is_sorted(marks.begin(), marks.end()));
            CHECK(marks.back() >= end - 10s);
            CHECK(world.log.warnings.empty());
            CHECK(world.store.removed.empty());
        }
    }
}

TEST_CASE("a dense autumn night is read whole in one go") {
    for (unsigned behaviour = 0; behaviour < 48; behaviour += 5) {
        CAPTURE(behaviour);
        World world(utc("2026-10-25 04:00:00"));
        choose_behaviour(world.model, behaviour);
        world.settings.start = local("2026-10-24 12:00:00");
        std::mt19937 random(behaviour);
        for (int i = 0; i < 40'000; ++i) {
            world.model.add(utc("2026-10-25 00:00:00") + Seconds(random() % 7260));
        }
        CHECK(world.sync().whole());
        CHECK(world.store.rows.size() == 40'000);
        CHECK_EXACT(world);
    }
}

// What happens over weeks and years: counts, rows that expire, a zone that was never right.

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "core/sync/metadata.hpp"
#include "tests/support/times.hpp"
#include "tests/unit/sync/world.hpp"

using namespace mirror;
using namespace mirror::tests;
using namespace std::chrono_literals;

namespace {

const Instant noon = utc("2026-06-01 12:00:00");

std::size_t count(const std::vector<std::string>& lines, const std::string& part) {
    return static_cast<std::size_t>(std::count_if(
        lines.begin(), lines.end(),
        [&](const std::string& line) { return line.find(part) != std::string::npos; }));
}

// A row every hour for sixty days.
struct SixtyDays : World {
    SixtyDays() : World(noon) {
        settings.start = local("2026-01-01 00:00:00");
        for (Instant at = noon - 24h * 60; at < noon; at += 1h) {
            model.add(at);
        }
    }

    void expire(Seconds retention) {
        for (std::size_t i = model.rows().size(); i-- > 0;) {
            if (model.rows()[i].at < clock.now() - retention) {
                model.erase(i);
            }
        }
    }

    std::string fact(const char* key) { return store.facts.contains(key) ? store.facts[key] : ""; }
};

}  // namespace

TEST_CASE("years: sync counts everything once a week, and finds what is missing") {
    SixtyDays world;
    world.settings.recheck_ages.clear();  // so that nothing else finds it
    world.settings.sweep.reset();
    CHECK(world.sync().whole());
    const std::int64_t lost = world.store.rows.begin()->first;
    world.store.rows.erase(lost);
    world.clock.advance(24h * 6);
    CHECK(world.sync().whole());
    CHECK_FALSE(world.store.rows.contains(lost));
    world.clock.advance(25h);
    CHECK(world.sync().whole());
    CHECK(world.store.rows.contains(lost));
    const std::string counted = world.fact(sync::metadata::counted_at);
    world.clock.advance(24h);
    CHECK(world.sync().whole());
    CHECK(world.fact(sync::metadata::counted_at) == counted);
}

TEST_CASE("years: rows that expire stay, and two days running prove the horizon") {
    SixtyDays world;
    CHECK(world.sync().whole());
    const std::size_t rows = world.store.rows.size();
    world.clock.advance(24h * 8);
    world.expire(24h * 30);
    const std::uint64_t before = world.api.pages;
    CHECK(world.sync().whole());
    CHECK(world.api.pages - before < 40);
    CHECK(world.store.removed.empty());
    CHECK(world.store.rows.size() == rows);
    CHECK(world.fact(sync::metadata::horizon).empty());
    const Instant first = world.model.rows().front().at;
    CHECK(world.fact(sync::metadata::horizon_pending) == sync::metadata::seconds_text(first));

    world.clock.advance(24h);
    world.expire(24h * 30);
    CHECK(world.sync().whole());
    CHECK(world.store.removed.empty());
    CHECK(world.fact(sync::metadata::horizon) == sync::metadata::seconds_text(first));
    CHECK(world.fact(sync::metadata::horizon_pending).empty());
    const auto older = static_cast<std::size_t>(std::count_if(
        world.store.rows.begin(), world.store.rows.end(),
        [&](const auto& row) { return row.second < world.settings.zone.to_local(first); }));
    CHECK(world.fact(sync::metadata::rows_before_horizon) == std::to_string(older));
    CHECK(count(world.log.infos, "are older and kept") == 1);
}

TEST_CASE("years: if the API shows other rows from the beginning on, nothing has expired") {
    for (const auto before : {1h, 24h * 100}) {
        CAPTURE(before.count());
        SixtyDays world;
        CHECK(world.sync().whole());
        world.expire(Seconds(0));
        for (Instant at = noon - 24h * 60 - before + 30min; at < noon; at += 1h) {
            world.model.add(at);
        }
        world.clock.advance(24h * 8);
        world.sync();
        world.clock.advance(24h);
        world.sync();
        CHECK(count(world.log.infos, "shows nothing before") == 0);
        CHECK(world.fact(sync::metadata::horizon).empty());
        CHECK(world.fact(sync::metadata::horizon_pending).empty());
    }
}

TEST_CASE("years: an API that is empty by mistake moves no horizon") {
    for (const int hours : {1, 30}) {  // once, and on two days
        CAPTURE(hours);
        SixtyDays world;
        CHECK(world.sync().whole());
        const std::size_t rows = world.store.rows.size();
        world.clock.advance(24h * 8);
        // Every second reply, from now on for so long.
        const Instant until = world.clock.now() + std::chrono::hours(hours);
        world.api.empty_when = [&](std::uint64_t number) {
            return world.clock.now() < until && number % 2 == 0;
        };
        world.sync();
        world.clock.advance(24h);
        world.sync();
        world.clock.advance(24h);
        CHECK(world.sync().whole());
        CHECK(world.fact(sync::metadata::horizon).empty());
        CHECK(world.store.rows.size() == rows);
        CHECK(world.difference() == "");
    }
}

TEST_CASE("years: what expired and came back is not a horizon any more") {
    SixtyDays world;
    CHECK(world.sync().whole());
    const auto all = world.model.rows();
    world.clock.advance(24h * 8);
    world.expire(24h * 30);
    CHECK(world.sync().whole());
    world.clock.advance(24h);
    CHECK(world.sync().whole());
    CHECK_FALSE(world.fact(sync::metadata::horizon).empty());
    for (const LoggedRow& row : all) {
        if (row.at < world.model.rows().front().at) {
            world.model.add_as(row.id, row.at);
        }
    }
    world.clock.advance(24h * 8);
    CHECK(world.sync().whole());
    CHECK(world.fact(sync::metadata::horizon).empty());
    CHECK(world.store.removed.empty());
}

TEST_CASE("years: the zone of an account west of the configured one is told of, once a day") {
    World world(noon, "Europe/Amsterdam");
    world.model.zone = Zone("America/New_York");
    for (Instant at = noon - 24h; at < noon + 24h * 4; at += 100s) {
        world.model.add(at);
    }
    SUBCASE("by run, at each poll before") {
        world.settings.poll_interval = Seconds(300);
        world.follow_until(noon + 23h);
        CHECK(count(world.log.warnings, "6 h behind") == 1);
        world.follow_until(noon + 23h + 23h);  // another process
        CHECK(count(world.log.warnings, "6 h behind") == 2);
    }
    SUBCASE("by sync, also if it is run seldom") {
        CHECK(world.sync().whole());
        for (int day = 0; day < 3; ++day) {
            CHECK(world.log.warnings.empty());
            world.clock.advance(24h);
            CHECK(world.sync().whole());
        }
        CHECK(count(world.log.warnings, "6 h behind") == 1);
    }
    CHECK(world.store.facts[sync::metadata::zone_behind] == "6");
}

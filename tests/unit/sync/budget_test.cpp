// A budget of requests a day, kept by whole runs.

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include <doctest/doctest.h>

#include "core/sync/request_ledger.hpp"
#include "tests/support/times.hpp"
#include "tests/unit/sync/live.hpp"

using namespace mirror;
using namespace mirror::tests;
using namespace std::chrono_literals;

namespace {

const Instant noon = live_noon;

// 40 days that need more requests than a day may make.
struct ShortOfRequests : Live {
    ShortOfRequests() {
        settings.requests_per_day = 60;
        settings.page_size = 100;
        settings.start = local("2026-10-01 00:00:00");
        for (Instant at = noon - 24h * 40; at < noon - 36h; at += Seconds(400)) {
            model.add(at);
        }
    }
};

}  // namespace

TEST_CASE("run: a budget is never exceeded, and what is new is not starved for the past" *
          doctest::test_suite("long")) {
    Live world;
    world.settings.requests_per_day = 300;
    world.settings.poll_interval = Seconds(600);
    world.settings.idle_poll_interval = Seconds(600);
    world.settings.page_size = 50;
    world.settings.leave_polls = true;
    world.settings.start = local("2026-10-01 00:00:00");
    for (Instant at = noon - 24h * 40; at < noon - 36h; at += Seconds(100)) {
        world.model.add(at);
    }
    std::map<std::int64_t, std::uint64_t> by_day;
    const auto count_request = [&] {
        ++by_day
            [std::chrono::floor<std::chrono::days>(world.clock.now()).time_since_epoch().count()];
    };
    world.api.on_page = [&](const copernica::PageQuery&) { count_request(); };
    world.api.on_identity = count_request;
    world.follow_until(noon + 24h * 4);
    CHECK(by_day.size() == 5);
    for (const auto& counted : by_day) {
        const auto day = counted.first;
        const auto requests = counted.second;
        CAPTURE(day);
        // What is counted just before midnight may arrive after it, or be cancelled at the end.
        CHECK(world.store.requests[day] <= 300);
        CHECK(requests <= 302);
        CHECK(world.store.requests[day] + 2 >= static_cast<std::int64_t>(requests));
    }
    // The tail is followed all the time, if more slowly.
    REQUIRE_FALSE(world.store.covered.empty());
    CHECK(world.store.covered.windows().back().end >= world.clock.now() - 30min);
    CHECK(world.difference() == "");
    CHECK(count(world.log.infos, "the past waits for tomorrow") >= 1);
}

TEST_CASE("sync: with a budget it ends where that is used up, and goes on the next day") {
    ShortOfRequests world;
    int days = 0;
    for (bool ended = false; !ended; ++days) {
        REQUIRE(days < 10);
        const std::uint64_t before = asked(world);
        try {
            world.sync();
            ended = true;
        } catch (const sync::BudgetSpent& spent) {
            CHECK(std::string(spent.what()).find("00:00 UTC") != std::string::npos);
        }
        CHECK(asked(world) - before <= 60);
        world.clock.advance(24h);
    }
    CHECK(days >= 2);
    CHECK(world.difference() == "");
}

TEST_CASE("sync: a budget that is used up lets no request through, however often it is tried") {
    ShortOfRequests world;
    CHECK_THROWS_AS(world.sync(), sync::BudgetSpent);
    const std::uint64_t before = asked(world);
    for (int attempt = 0; attempt < 3; ++attempt) {
        CHECK_THROWS_AS(world.sync(), sync::BudgetSpent);
    }
    CHECK(asked(world) == before);
}

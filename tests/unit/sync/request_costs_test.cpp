// What polls find for a request, and what a day costs.

#include <chrono>
#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include "core/copernica/api.hpp"
#include "tests/support/times.hpp"
#include "tests/unit/sync/live.hpp"

using namespace mirror;
using namespace mirror::tests;
using namespace std::chrono_literals;

namespace {

const Instant noon = live_noon;

// Adds a row that is logged now and is so old.
void log_late(World& world, Seconds age) {
    world.model.add(world.clock.now() - age);
}

}  // namespace

TEST_CASE("run: rows up to six hours late are there within 15 minutes, at no more requests") {
    Live world;
    world.settings.poll_interval = Seconds(60);
    world.follow_until(noon + 2h);
    const std::uint64_t before = asked(world);
    for (const Seconds age : {Seconds(300), Seconds(1800), Seconds(3h), Seconds(6h - 20min)}) {
        CAPTURE(age.count());
        log_late(world, age);
        world.follow_until(world.clock.now() + 14min);
        CHECK(world.difference() == "");
        CHECK(world.store.rows.size() ==
              world.model
                  .matching({local("2026-11-20 00:00:00"), local("2026-12-30 00:00:00")},
                            world.clock.now())
                  .size());
    }
    // A request a minute, and what the start of each of the four takes.
    CHECK(asked(world) - before < 4 * (15 + 10));
}

TEST_CASE("run: in a busy account, a count tells that rows came late") {
    Live world;
    world.store.cuts = true;
    world.settings.poll_interval = Seconds(60);
    // Now and then there is a second without rows, where counts can be cut.
    for (Instant at = noon - 8h; at < noon + 3h; at += Seconds(2)) {
        if ((at - (noon - 8h)) % Seconds(60) < Seconds(50)) {
            world.model.add(at + Seconds(1));
        }
    }
    world.follow_until(noon + 1h);
    log_late(world, Seconds(4h));
    const std::uint64_t before = asked(world);
    world.follow_until(world.clock.now() + 14min);
    CHECK(world.difference() == "");
    CHECK(asked(world) - before < 14 + 30);
}

TEST_CASE(
    "run: a poll does not reach over a gap, and a count tells that rows came late behind it") {
    Live world;
    world.store.cuts = true;
    world.settings.poll_interval = Seconds(60);
    const LocalTime gap = world.settings.zone.to_local(noon - 2h);
    world.api.on_page = [&](const copernica::PageQuery& query) {
        if (query.begintime < gap + Seconds(9) && query.endtime > gap) {
            throw copernica::ApiError(copernica::ErrorKind::request_refused,
                                      "this period is refused", 400);
        }
    };
    world.follow_until(noon + 1h);
    REQUIRE(world.store.covered.windows().size() == 2);
    log_late(world, Seconds(4h));
    CHECK(world.difference() != "");
    world.follow_until(world.clock.now() + 14min);
    CHECK(world.difference() == "");
    CHECK(world.store.covered.windows().size() == 2);
}

TEST_CASE("run: what a day costs, by what the account logs" * doctest::test_suite("long")) {
    struct Account {
        const char* about;
        Seconds between_rows;  // 0: no rows
        std::uint64_t most;    // requests; a poll each minute and a recheck every four were 1,800
    };
    for (const Account& account :
         {Account{"idle", 0s, 1620}, Account{"1,000 rows a day", 86s, 1520},
          Account{"40,000 rows a day", 2s, 1780}}) {
        CAPTURE(account.about);
        World world(noon);
        world.store.cuts = true;
        world.settings.start = local("2026-11-23 00:00:00");
        world.settings.give_up_after.reset();
        world.settings.jitter_seed = 1;
        for (Instant at = noon - 12h; account.between_rows > 0s && at < noon + 26h;
             at += account.between_rows) {
            // Now and then there is a second without rows.
            if ((at - (noon - 12h)) % Seconds(60) < Seconds(54)) {
                world.model.add(at);
            }
        }
        world.follow_until(noon + 1h);
        const std::uint64_t before = asked(world);
        world.follow_until(noon + 25h);
        const std::uint64_t requests = asked(world) - before;
        MESSAGE(std::string(account.about) << ": " << requests << " requests a day");
        CHECK(requests <= account.most);
        CHECK(world.difference() == "");
    }
}

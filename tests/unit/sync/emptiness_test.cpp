// Whole runs against an API that shows nothing, truly or not.
#include <doctest/doctest.h>

#include "core/copernica/errors.hpp"
#include "core/sync/session.hpp"
#include "tests/unit/sync/session_fixture.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::plan;
using namespace mirror::sync;
using namespace mirror::tests;
using namespace std::chrono_literals;
using copernica::ApiError;
using copernica::ErrorKind;

TEST_CASE("an account without anything is whole, and stays so") {
    World world(noon);
    const Outcome first = world.sync();
    CHECK(first.whole());
    MESSAGE("an empty account: " << first.requests << " requests");
    world.clock.advance(1min);
    const Outcome second = world.sync();
    CHECK(second.whole());
    MESSAGE("again: " << second.requests << " requests");
    world.model.add(world.clock.now() + 5s);
    world.clock.advance(1min);
    CHECK(world.sync().whole());
    CHECK(world.store.rows.size() == 1);
    CHECK_EXACT(world);
}

TEST_CASE("an account that shows nothing is not complete before that is verified") {
    for (const bool refuses : {false, true}) {
        CAPTURE(refuses);
        World world(noon);
        world.settings.give_up_after = Seconds(60);
        std::uint64_t counts = 0;
        world.api.on_page = [&](const copernica::PageQuery& query) {
            counts += query.limit <= 1 ? 1 : 0;
            if (counts > 10) {
                throw ApiError(refuses ? ErrorKind::token_refused : ErrorKind::try_again, "down",
                               refuses ? 403 : 500);
            }
        };
        if (refuses) {
            world.api.on_identity = [&] {
                if (counts > 10) {
                    throw ApiError(ErrorKind::token_refused, "refused", 403);
                }
            };
            CHECK_THROWS_AS(world.sync(), TokenRefused);
        } else {
            CHECK_THROWS_AS(world.sync(), ApiFailed);
        }
        CHECK(world.store.covered.width() <= 2h);
        world.api.on_page = nullptr;
        world.api.on_identity = nullptr;
        CHECK(world.sync().whole());
    }
}

TEST_CASE("empty replies in a row never make a whole run of one that lacks rows") {
    int incomplete = 0;
    int runs = 0;
    for (int kind = 0; kind < 8; ++kind) {
        for (const std::uint64_t streak : {1U, 3U, 5U, 50U}) {
            const bool incremental = kind % 2 == 1;
            const bool sparse = kind / 2 % 2 == 1;
            bool past_the_end = false;
            for (std::uint64_t at = 0; !past_the_end; ++at) {
                CAPTURE(kind);
                CAPTURE(streak);
                CAPTURE(at);
                World world(noon);
                world.model.begin_inclusive = world.model.end_inclusive = kind / 4 == 1;
                world.settings.start = local("2025-01-01 00:00:00");
                fill(world.model, noon - 24h * 200, noon - 10s, sparse ? 150 : 1500, 7);
                // Live rows, also while it is at work.
                for (int i = 0; i < 60; ++i) {
                    world.model.add(noon + 5s * i);
                }
                for (int i = 0; i < (sparse ? 40 : 1500); ++i) {
                    world.model.add(noon + 3h + Seconds(i));
                }
                if (incremental) {
                    REQUIRE(world.sync().whole());
                    world.clock.advance_to(noon + 6h);
                }
                world.api.empty_from = world.api.pages + at;
                world.api.empty_count = streak;
                try {
                    const Outcome outcome = world.sync();
                    if (outcome.whole()) {
                        CHECK_EXACT(world);
                        CHECK(world.store.covered.windows().size() == 1);
                    } else {
                        ++incomplete;
                    }
                } catch (const ApiFailed&) {
                    ++incomplete;
                }
                ++runs;
                past_the_end = world.api.pages <= world.api.empty_from;
                REQUIRE(at < 400);
                // What it did wrong, the next run must put right or know of.
                world.api.empty_count = 0;
                world.clock.advance(10min);
                const Outcome next = world.sync();
                CHECK(next.whole());
                CHECK_EXACT(world);
                CHECK(world.store.covered.windows().size() == 1);
            }
        }
    }
    MESSAGE(runs << " runs with empty replies, " << incomplete << " incomplete");
}

TEST_CASE("every second reply empty never makes a whole run of one that lacks rows") {
    int whole = 0;
    int runs = 0;
    for (const std::uint64_t period : {2U, 3U}) {
        for (std::uint64_t phase = 0; phase < period; ++phase) {
            for (const unsigned connections : {1U, 2U, 3U, 4U}) {
                for (const std::uint64_t clean : {0U, 1U, 2U, 3U, 4U, 5U}) {
                    CAPTURE(period);
                    CAPTURE(phase);
                    CAPTURE(connections);
                    CAPTURE(clean);
                    World world(noon);
                    world.settings.connections = connections;
                    fill(world.model, utc("2026-04-01 00:00:00"), noon - 10s, 300, 1);
                    // The first ones are right, so that every number of requests comes before the
                    // first count.
                    world.api.empty_when = [=](std::uint64_t number) {
                        return number >= clean && number % period == phase;
                    };
                    ++runs;
                    try {
                        if (world.sync().whole()) {
                            ++whole;
                            CHECK_EXACT(world);
                        }
                    } catch (const ApiFailed&) {
                    }
                    world.api.empty_when = {};
                    world.clock.advance(10min);
                    CHECK(world.sync().whole());
                    CHECK_EXACT(world);
                }
            }
        }
    }
    MESSAGE(whole << " of " << runs << " runs were whole");
    CHECK(whole > runs / 4);
}

TEST_CASE("an API that shows rows, but counts none of them, proves nothing") {
    World world(noon);
    fill(world.model, utc("2026-04-01 00:00:00"), noon - 10s, 300, 1);
    world.api.distort = [](const copernica::PageQuery& query, copernica::Page& page) {
        if (query.total) {
            page.rows.clear();
            page.count = 0;
            page.total = 0;
        }
    };
    const Outcome outcome = world.sync();
    CHECK_FALSE(outcome.whole());
    CHECK(outcome.difference.has_value());
    // One at least: what the API shows and does not count.
    CHECK(world.store.facts["rows_missing"] == "1");
    world.api.distort = {};
    world.clock.advance(10min);
    CHECK(world.sync().whole());
    CHECK(world.store.facts["rows_missing"].empty());
    CHECK_EXACT(world);
}

TEST_CASE("rows in the seconds next to a window do not hide those that it lacks") {
    for (std::uint64_t at = 0; at < 12; ++at) {
        CAPTURE(at);
        World world(noon);
        world.api.duration = 0ms;
        world.settings.start = local("2026-06-01 00:00:00");
        world.model.add(noon - 1h);
        REQUIRE(world.sync().whole());
        world.clock.advance_to(noon + 9h);
        // Windows of an hour will end at these seconds; every other one has more rows.
        for (int hour = 0; hour < 9; ++hour) {
            for (int i = 0; i < (hour % 2 == 0 ? 9 : 1); ++i) {
                world.model.add(noon + 9h - 5s - std::chrono::hours(hour));
            }
            world.model.add(noon + 8h + 30min - std::chrono::hours(hour));
        }
        world.api.empty_from = world.api.pages + at;
        world.api.empty_count = 1;
        CHECK(world.sync().whole());
        CHECK_EXACT(world);
    }
}

TEST_CASE("a window that is taken for empty is verified by what lies in it, not around it") {
    int runs = 0;
    int whole = 0;
    for (const std::uint64_t streak : {1U, 2U, 3U, 5U}) {
        for (std::uint64_t at = 0; at < 30; ++at) {
            CAPTURE(streak);
            CAPTURE(at);
            World world(noon);
            world.settings.start = local("2026-05-01 00:00:00");
            fill(world.model, utc("2026-05-01 00:00:00"), noon - 10s, 300, 1);
            REQUIRE(world.sync().whole());
            // Rows in every second, so that some lie at the ends of every window.
            for (int i = 0; i < 7200; ++i) {
                world.model.add(noon + 1h + Seconds(i));
            }
            world.clock.advance_to(noon + 4h);
            world.api.empty_from = world.api.pages + at;
            world.api.empty_count = streak;
            ++runs;
            try {
                if (world.sync().whole()) {
                    ++whole;
                    CHECK_EXACT(world);
                }
            } catch (const ApiFailed&) {
            }
            // What it did wrong, the next run must put right or know of.
            world.api.empty_count = 0;
            world.clock.advance(10min);
            CHECK(world.sync().whole());
            CHECK_EXACT(world);
        }
    }
    MESSAGE(whole << " of " << runs << " runs with empty replies were whole");
    CHECK(whole > runs / 2);
}

// Whole runs against the model of the API: what they store, in what order, at what cost.
#include "core/sync/session.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "core/copernica/errors.hpp"
#include "tests/unit/sync/session_fixture.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::plan;
using namespace mirror::sync;
using namespace mirror::tests;
using namespace std::chrono_literals;
using copernica::ApiError;
using copernica::ErrorKind;

TEST_CASE("20,000 bursty rows are mirrored exactly, whatever the order and the bounds") {
    std::uint64_t most = 0;
    for (unsigned behaviour = 0; behaviour < 48; ++behaviour) {
        CAPTURE(behaviour);
        World world(noon);
        choose_behaviour(world.model, behaviour);
        // Through a winter, so that both changes of the clocks lie in it.
        fill(world.model, noon - 24h * 300, noon - 10s, 20'000, behaviour);
        const Outcome outcome = world.sync();
        CHECK(outcome.whole());
        CHECK(outcome.requests == world.api.pages + world.api.identities);
        CHECK(world.store.rows.size() == world.model.rows().size());
        CHECK(world.store.covered.windows().size() == 1);
        CHECK(world.store.covered.contains({utc("2000-01-01 00:00:00"), noon - 10s}));
        CHECK_EXACT(world);
        most = std::max(most, outcome.requests);
        CHECK(world.store.runs.back().outcome == "done");
    }
    MESSAGE("20,000 rows: " << most << " requests at the most");
    CHECK(most <= 90);
}

TEST_CASE("what follows all that the file holds is written oldest first, gaps newest first") {
    for (const Order order : all_orders) {
        CAPTURE(static_cast<int>(order));
        World world(noon);
        world.model.order = order;
        // Bursts: windows of one page and of many, at work side by side, end in any order.
        fill(world.model, noon - 24h * 300, noon - 24h, 60'000, 3);
        const auto committed_since = [&](std::size_t first) {
            std::vector<Window> windows(
                world.store.committed.begin() + static_cast<std::ptrdiff_t>(first),
                world.store.committed.end());
            // The end of a run reads the newest minutes again.
            std::erase_if(windows, [](const Window& window) { return window.end > noon - 1h; });
            return windows;
        };
        const auto older = [](const Window& a, const Window& b) { return a.begin < b.begin; };
        CHECK(world.sync().whole());
        const std::vector<Window> loaded = committed_since(0);
        CHECK(loaded.size() > 5);
        CHECK(std::is_sorted(loaded.begin(), loaded.end(), older));

        world.store.covered.subtract({noon - 24h * 200, noon - 24h * 100});
        const std::size_t before = world.store.committed.size();
        CHECK(world.sync().whole());
        const std::vector<Window> filled = committed_since(before);
        REQUIRE(filled.size() > 1);
        CHECK(filled.front().begin > filled.back().begin);
        CHECK_EXACT(world);
    }
}

TEST_CASE("ten years with 307 rows cost few requests, and nothing new costs fewer") {
    std::uint64_t most = 0;
    std::uint64_t most_again = 0;
    for (unsigned behaviour = 0; behaviour < 48; ++behaviour) {
        CAPTURE(behaviour);
        World world(noon);
        choose_behaviour(world.model, behaviour);
        world.settings.start = local("2016-06-01 00:00:00");
        std::mt19937 random(behaviour);
        for (int i = 0; i < 307; ++i) {
            world.model.add(noon - Seconds(10 + random() % (3652 * 86400)));
        }
        most = std::max(most, world.sync().requests);
        CHECK(world.store.rows.size() == 307);
        CHECK_EXACT(world);
        world.clock.advance(10min);
        const Outcome again = world.sync();
        CHECK(again.whole());
        CHECK(again.written.inserted == 0);
        most_again = std::max(most_again, again.requests);
        CHECK_EXACT(world);
    }
    MESSAGE("ten sparse years: " << most << " requests at the most; nothing new: " << most_again);
    CHECK(most <= 30);
    CHECK(most_again <= 6);
}

TEST_CASE("a backfill fetches what is missing of a period, and all of it with force") {
    World world(noon);
    world.settings.start = local("2026-05-01 00:00:00");
    fill(world.model, noon - 24h * 300, noon - 10s, 4'000, 3);
    CHECK(world.sync().whole());
    const std::size_t recent = world.store.rows.size();
    CHECK(recent < world.model.rows().size());

    Outcome outcome = world.backfill(local("2026-04-01 00:00:00"), local("2026-05-02 00:00:00"));
    CHECK(outcome.whole());
    CHECK(outcome.written.inserted > 0);
    CHECK(world.store.covered.contains({utc("2026-03-31 22:00:00"), noon - 10s}));
    CHECK_EXACT(world);

    outcome = world.backfill(local("2026-04-01 00:00:00"), local("2026-05-02 00:00:00"));
    CHECK(outcome.whole());
    CHECK(outcome.written.inserted + outcome.written.unchanged == 0);
    CHECK(outcome.requests <= 4);

    outcome = world.backfill(local("2026-04-01 00:00:00"), local("2026-05-02 00:00:00"), true);
    CHECK(outcome.whole());
    CHECK(outcome.written.inserted == 0);
    CHECK(outcome.written.unchanged > 0);

    outcome = world.backfill(local("2020-01-01 00:00:00"), std::nullopt);
    CHECK(outcome.whole());
    CHECK(world.store.rows.size() == world.model.rows().size());
    CHECK_EXACT(world);

    outcome = world.backfill(local("2030-01-01 00:00:00"), local("2031-01-01 00:00:00"));
    CHECK(outcome.whole());
    CHECK(world.sync().whole());
    CHECK_EXACT(world);
}

TEST_CASE("a sync from the middle of busy seconds after a backfill of what lies before") {
    for (unsigned behaviour = 0; behaviour < 16; ++behaviour) {
        CAPTURE(behaviour);
        World world(noon);
        choose_behaviour(world.model, behaviour);
        for (int i = 0; i < 3000; ++i) {
            world.model.add(noon - 2h + Seconds(i / 3));
        }
        const Instant middle = noon - 2h + 500s;
        CHECK(world.backfill(local("2026-05-01 00:00:00"), world.settings.zone.to_local(middle))
                  .whole());
        world.settings.start = world.settings.zone.to_local(middle);
        CHECK(world.sync().whole());
        CHECK(world.store.rows.size() == 3000);
        CHECK_EXACT(world);
    }
}

TEST_CASE("a file with hundreds of gaps costs requests by its pages, not by its gaps") {
    World world(noon);
    world.settings.start = local("2026-05-01 00:00:00");
    fill(world.model, noon - 24h * 30, noon - 10s, 6'000, 3);
    REQUIRE(world.sync().whole());
    const auto shred = [&world](int gaps) {
        for (int gap = 0; gap < gaps; ++gap) {
            const Instant at = noon - 24h * 29 + 24h * 28 / gaps * gap;
            world.store.covered.subtract(Window{at, at + 1s});
        }
        REQUIRE(world.store.covered.windows().size() == static_cast<std::size_t>(gaps) + 1);
    };
    shred(500);
    const Outcome many = world.sync();
    CHECK(many.whole());
    CHECK(many.requests <= 40);
    CHECK(world.store.covered.windows().size() == 1);
    // A few are read alone, though all of the file would cost little.
    shred(3);
    const Outcome few = world.sync();
    CHECK(few.whole());
    CHECK(few.written.unchanged < 1'000);
    CHECK_EXACT(world);
}

TEST_CASE("rows that come and go while it reads leave nothing out for long") {
    for (unsigned seed = 0; seed < 10; ++seed) {
        CAPTURE(seed);
        World world(noon);
        choose_behaviour(world.model, seed);
        fill(world.model, noon - 2h, noon - 10s, 8'000, seed);
        std::mt19937 random(seed);
        world.api.on_page = [&](const copernica::PageQuery&) {
            if (world.api.pages > 40) {
                return;
            }
            world.model.add(noon - 2h + Seconds(random() % 7000));
        };
        try {
            world.sync();
        } catch (const ApiFailed&) {
        }
        CHECK(world.backfill(local("2026-06-01 11:00:00"), std::nullopt, true).whole());
        CHECK(world.store.rows.size() == world.model.rows().size());
        CHECK_EXACT(world);
    }
}

TEST_CASE("offsets that cost much take few requests more") {
    const auto requests = [](std::chrono::microseconds skip) {
        World world(noon);
        world.model.order = Order::id;
        world.settings.page_size = 200;
        world.settings.requests_per_second = 1000;
        world.settings.start = local("2025-06-01 00:00:00");
        fill(world.model, noon - 24h * 360, noon - 24h, 30'000, 5);
        world.api.duration = 50ms;
        world.api.skip_cost = skip;
        world.api.side_by_side = true;
        CHECK(world.sync().whole());
        CHECK_EXACT(world);
        return world.api.pages;
    };
    const std::uint64_t plain = requests(0us);
    const std::uint64_t dear = requests(100us);
    const std::uint64_t very_dear = requests(1000us);
    CAPTURE(plain);
    CHECK(plain < 200);
    CHECK(dear * 5 < plain * 8);
    CHECK(very_dear * 2 < plain * 5);
}

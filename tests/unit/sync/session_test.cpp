// Whole runs against the model of the API, with every fault that is known of it.
#include "core/sync/session.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/copernica/errors.hpp"
#include "core/sync/errors.hpp"
#include "core/sync/metadata.hpp"
#include "core/time/text.hpp"
#include "tests/unit/sync/model.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::plan;
using namespace mirror::sync;
using namespace mirror::tests;
using namespace std::chrono_literals;
using copernica::ApiError;
using copernica::ErrorKind;

namespace {

const Instant noon = utc("2026-06-01 12:00:00");

// The bounds' meanings, and the orders, drawn from a number below 48.
void choose_behaviour(Model& model, unsigned behaviour) {
    model.order = all_orders[behaviour % 4];
    model.begin_inclusive = behaviour / 4 % 2 == 1;
    model.end_inclusive = behaviour / 8 % 2 == 1;
    model.bounds = static_cast<Bounds>(behaviour / 16 % 3);
}

// Rows from `begin` to `end`, a third of them in a few bursts.
void fill(Model& model, Instant begin, Instant end, int rows, unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_int_distribution<std::int64_t> second(0, (end - begin).count() - 1);
    for (int i = 0; i < rows * 2 / 3; ++i) {
        model.add(begin + Seconds(second(random)));
    }
    for (int burst = 0; burst < 5; ++burst) {
        const Instant at = begin + Seconds(second(random));
        for (int i = 0; i < rows / 15; ++i) {
            model.add(at + Seconds(i % 3));
        }
    }
}

// A server that always fails for what touches a period.
void fail_within(FakeApi& api, Zone zone, Window bad, ErrorKind kind, int status) {
    api.on_page = [=](const copernica::PageQuery& query) {
        if (query.begintime < zone.to_local(bad.end) - 1s &&
            query.endtime > zone.to_local(bad.begin)) {
            throw ApiError(kind, "the server does not like this period", status);
        }
    };
}

#define CHECK_EXACT(world) CHECK((world).difference() == "")

}  // namespace

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

TEST_CASE("a window in trouble does not keep what is newer from being written") {
    World world(noon);
    fill(world.model, noon - 24h * 300, noon - 24h, 60'000, 3);
    const Instant bad = noon - 24h * 250;
    const auto newer_is_written = [&] {
        return std::any_of(world.store.committed.begin(), world.store.committed.end(),
                           [&](const Window& window) { return window.begin > bad; });
    };
    int failures = 0;
    world.api.on_page = [&](const copernica::PageQuery& query) {
        const LocalTime at = world.settings.zone.to_local(bad);
        // One of several windows at work, and no other request tells that the fault is its own.
        const bool fails = query.begintime <= at && at <= query.endtime &&
                           query.endtime - query.begintime < 24h * 100;
        if ((fails || query.limit == 1) && !newer_is_written()) {
            failures += fails ? 1 : 0;
            throw ApiError(ErrorKind::try_again, "busy", 503);
        }
    };
    CHECK(world.sync().whole());
    CHECK(failures > 0);
    CHECK_EXACT(world);
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
    world.api.distort = {};
    world.clock.advance(10min);
    CHECK(world.sync().whole());
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

TEST_CASE("pages shorter than they say, and records without an ID") {
    for (const Order order : all_orders) {
        CAPTURE(static_cast<int>(order));
        World world(noon);
        world.model.order = order;
        world.model.cap = 500;
        fill(world.model, noon - 24h * 100, noon - 10s, 6'000, 3);
        for (int i = 0; i < 12; ++i) {
            world.model.add(noon - 24h * (1 + i * 8), true);
        }
        const Outcome outcome = world.sync();
        CHECK(outcome.whole());
        CHECK(world.store.rejects.size() == 12);
        // By ID those without one come together, more than a page may have: windows are halved
        // until they lie apart.
        CHECK(outcome.requests <= (order == Order::id ? 200 : 60));
        CHECK_EXACT(world);
    }
}

TEST_CASE("a page that is cut short now and then is no proof") {
    World world(noon);
    fill(world.model, noon - 24h * 100, noon - 10s, 9'000, 3);
    int pages = 0;
    world.api.distort = [&](const copernica::PageQuery&, copernica::Page& page) {
        if (++pages % 3 == 0 && page.rows.size() > 10) {
            page.rows.resize(page.rows.size() / 2);
            page.count = page.rows.size();
        }
    };
    CHECK(world.sync().whole());
    CHECK_EXACT(world);
    CHECK(world.store.rows.size() == world.model.rows().size());
}

TEST_CASE("trouble that stays with one window is that window's") {
    struct Case {
        ErrorKind kind;
        int status;
    };
    for (const Case& trouble :
         {Case{ErrorKind::try_again, 503}, Case{ErrorKind::invalid_response, 200},
          Case{ErrorKind::request_refused, 400}}) {
        CAPTURE(trouble.status);
        World world(noon);
        fill(world.model, noon - 24h * 100, noon - 10s, 5'000, 3);
        const Instant bad = noon - 24h * 50;
        world.model.add(bad + 1s);
        fail_within(world.api, world.model.zone, {bad, bad + 3s}, trouble.kind, trouble.status);
        const Outcome outcome = world.sync();
        CHECK_FALSE(outcome.whole());
        WindowSet unread;
        for (const UnreadWindow& window : outcome.unread) {
            CHECK(window.reason.find("does not like") != std::string::npos);
            unread.add(window.window);
        }
        CHECK(unread.contains({bad, bad + 3s}));
        CHECK(unread.width() <= 6s);
        CHECK(world.store.runs.back().outcome == "incomplete");
        CHECK(world.store.facts[metadata::last_error] != "");
        WindowSet all = world.store.covered;
        for (const Window& window : unread.windows()) {
            CHECK_FALSE(all.contains(window));
            all.add(window);
        }
        CHECK(all.contains({utc("2000-01-01 00:00:00"), noon - 10s}));
        CHECK_EXACT(world);

        world.api.on_page = nullptr;
        CHECK(world.sync().whole());
        CHECK(world.store.rows.size() == world.model.rows().size());
        CHECK_EXACT(world);
    }
}

TEST_CASE("a long period that always fails is left out as a whole, without a flood of requests") {
    struct Case {
        ErrorKind kind;
        int status;
        std::chrono::hours bad_for;
        std::uint64_t most_requests;
    };
    for (const Case& trouble : {Case{ErrorKind::request_refused, 400, 24h * 365 * 20, 2500},
                                Case{ErrorKind::request_refused, 400, 24h * 25, 2500},
                                Case{ErrorKind::try_again, 503, 3h, 3000}}) {
        CAPTURE(trouble.status);
        CAPTURE(trouble.bad_for.count());
        World world(noon);
        world.settings.give_up_after.reset();
        fill(world.model, noon - 24h * 30, noon - 10s, 5'000, 3);
        const Instant good_from = noon - 24h * 5;
        const Window bad{good_from - trouble.bad_for, good_from};
        world.settings.start = world.model.zone.to_local(noon - 24h * 365 * 20 - 24h * 5);
        fail_within(world.api, world.model.zone, bad, trouble.kind, trouble.status);
        const Outcome outcome = world.sync();
        CHECK_FALSE(outcome.whole());
        CHECK(outcome.requests <= trouble.most_requests);
        MESSAGE(trouble.bad_for.count() << " h that fail with " << trouble.status << ": "
                                        << outcome.requests << " requests");
        CHECK(outcome.unread.size() <= 10);
        WindowSet unread;
        for (const UnreadWindow& window : outcome.unread) {
            unread.add(window.window);
        }
        CHECK(unread.contains(bad));
        CHECK(unread.width() <= bad.width() + 4s);
        CHECK(world.store.covered.contains({good_from + 4s, noon - 10s}));
        CHECK_EXACT(world);
    }
}

TEST_CASE("an API that refuses all from some moment on ends the run in a few requests") {
    World world(noon);
    fill(world.model, noon - 24h * 30, noon - 10s, 5'000, 3);
    world.api.on_page = [&](const copernica::PageQuery&) {
        if (world.api.pages > 5) {
            throw ApiError(ErrorKind::request_refused, "Method not allowed", 405);
        }
    };
    world.api.on_identity = [&] {
        if (world.api.pages > 5) {
            throw ApiError(ErrorKind::request_refused, "Method not allowed", 405);
        }
    };
    CHECK_THROWS_AS(world.sync(), ApiFailed);
    CHECK(world.api.pages + world.api.identities <= 30);
}

TEST_CASE("a longest period that the server allows is found out") {
    World world(noon);
    world.settings.start = local("2016-06-01 00:00:00");
    fill(world.model, noon - 24h * 3000, noon - 10s, 400, 3);
    world.api.on_page = [](const copernica::PageQuery& query) {
        if (query.endtime - query.begintime > 24h * 31 + 2h && query.limit > 1) {
            throw ApiError(ErrorKind::request_refused, "the period is too long", 400);
        }
    };
    const Outcome outcome = world.sync();
    CHECK(outcome.whole());
    CHECK(world.store.rows.size() == world.model.rows().size());
    MESSAGE("ten years of 31 days at the most: " << outcome.requests << " requests");
    CHECK(outcome.requests <= 450);
    CHECK_EXACT(world);
}

TEST_CASE("a longest period is no reason to end an otherwise whole run") {
    World world(noon);
    world.settings.start = local("2016-06-01 00:00:00");
    fill(world.model, noon - 24h * 3000, noon - 10s, 400, 3);
    world.api.on_page = [](const copernica::PageQuery& query) {
        if (query.endtime - query.begintime > 24h * 31 + 2h) {
            throw ApiError(ErrorKind::request_refused, "the period is too long", 400);
        }
    };
    // The count of everything is refused, too.
    const Outcome outcome = world.sync();
    CHECK(outcome.whole());
    CHECK(world.store.rows.size() == world.model.rows().size());
}

TEST_CASE("a configured zone that is behind the account's ends the run") {
    World world(noon, "Europe/London");
    world.model.zone = Zone("Europe/Amsterdam");
    fill(world.model, noon - 24h * 10, noon - 10s, 500, 3);
    world.model.add(noon - 1s);
    CHECK_THROWS_AS(world.sync(), WrongZone);
    CHECK(world.store.covered.empty());
    CHECK(
        world.store.runs.back().outcome.starts_with("failed: the API shows impressions up to 1 h"));
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
            for (const Row& row : world.model.rows()) {
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
    // Whoever claimed that looked a day ahead, and saw nothing of the day before.
    std::erase_if(world.store.rows, [&](const auto& row) {
        return row.second >= world.settings.zone.to_local(noon - 23h);
    });
    CHECK(world.sync().whole());
    CHECK(world.store.covered.windows().back().end <= world.clock.now());
    CHECK(world.log.warnings.size() == 1);
    CHECK(world.store.rows.size() == world.model.rows().size());
    CHECK_EXACT(world);
}

TEST_CASE("it gives up after so long without a success, and not before") {
    for (const Seconds patience : {Seconds(60), Seconds(900)}) {
        for (const std::uint64_t works_until : {0U, 1U, 5U}) {
            World world(noon);
            world.settings.give_up_after = patience;
            fill(world.model, noon - 24h * 1000, noon - 10s, 5'000, 3);
            const auto fail = [&] {
                if (world.api.pages + world.api.identities > works_until) {
                    throw ApiError(ErrorKind::try_again, "connection refused");
                }
            };
            world.api.on_page = [&](const copernica::PageQuery&) { fail(); };
            world.api.on_identity = fail;
            CHECK_THROWS_AS(world.sync(), ApiFailed);
            CHECK(world.clock.now() - noon >= patience);
            CHECK(world.clock.now() - noon <= patience + 10min);
            CHECK(world.api.pages + world.api.identities < 100);
            CHECK(world.store.facts[metadata::last_error].find("gave up after") !=
                  std::string::npos);
            CHECK_EXACT(world);
        }
    }
}

TEST_CASE("impressions that always fail end the run, though identity is answered") {
    for (const ErrorKind kind : {ErrorKind::try_again, ErrorKind::invalid_response}) {
        for (const std::uint64_t works_until : {0U, 1U, 4U}) {
            CAPTURE(works_until);
            World world(noon);
            fill(world.model, noon - 24h * 1000, noon - 10s, 5'000, 3);
            world.api.on_page = [&](const copernica::PageQuery&) {
                if (world.api.pages > works_until) {
                    throw ApiError(kind, "503 of the load balancer", 503);
                }
            };
            CHECK_THROWS_AS(world.sync(), ApiFailed);
            CHECK(world.clock.now() - noon <= 1h);
            CHECK_EXACT(world);
        }
    }
}

TEST_CASE("an outage of minutes costs no window") {
    World world(noon);
    fill(world.model, noon - 24h * 1000, noon - 10s, 5'000, 3);
    world.api.on_page = [&](const copernica::PageQuery&) {
        const auto since = world.clock.now() - noon;
        if (since >= 1s && since < 400s) {
            throw ApiError(ErrorKind::try_again, "502 Server Error", 502);
        }
    };
    world.api.on_identity = [&] { world.api.on_page({}); };
    CHECK(world.sync().whole());
    CHECK_EXACT(world);
}

TEST_CASE("a Retry-After longer than our patience ends the run at once") {
    World world(noon);
    world.api.on_identity = [] {
        throw ApiError(ErrorKind::try_again, "429", 429, std::chrono::seconds(901));
    };
    CHECK_THROWS_AS(world.sync(), ApiFailed);
    CHECK(world.api.identities == 1);
}

TEST_CASE("a refused token costs one request; one that is withdrawn later ends the run, too") {
    for (const std::uint64_t works_until : {0U, 1U, 3U, 6U}) {
        CAPTURE(works_until);
        World world(noon);
        fill(world.model, noon - 24h * 1000, noon - 10s, 5'000, 3);
        const auto fail = [&](ErrorKind kind) {
            if (world.api.pages + world.api.identities > works_until) {
                throw ApiError(kind, "Invalid access token", 400);
            }
        };
        world.api.on_identity = [&] { fail(ErrorKind::token_refused); };
        world.api.on_page = [&](const copernica::PageQuery&) { fail(ErrorKind::request_refused); };
        CHECK_THROWS_AS(world.sync(), TokenRefused);
        // Requests that were under way together ask for themselves.
        CHECK(world.api.pages + world.api.identities <=
              (works_until == 0 ? 1 : works_until + 2 * world.settings.connections));
        CHECK(world.store.runs.back().outcome.starts_with("failed: Invalid"));
        CHECK_EXACT(world);
    }
}

TEST_CASE("both nights in which the clocks change, polled") {
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

TEST_CASE("a failing storage ends the run and nothing hangs") {
    struct Failing final : FakeStore {
        using FakeStore::FakeStore;
        boost::asio::awaitable<Written> commit(std::vector<WholeWindow>, Instant) override {
            throw std::runtime_error("the disk is full");
        }
    };
    World world(noon);
    fill(world.model, noon - 24h * 1000, noon - 10s, 50'000, 3);
    Failing store(world.settings.zone);
    Session session(world.loop.get_executor(), world.api, store, world.clock, world.log,
                    world.settings);
    CHECK_THROWS_WITH(run(world.loop, session.sync()), "the disk is full");
    CHECK(store.facts[metadata::last_error] == "the disk is full");
}

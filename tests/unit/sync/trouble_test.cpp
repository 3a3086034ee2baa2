// Whole runs against an API that fails: what is left out, what is waited for, what ends the run.
#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

#include "core/copernica/errors.hpp"
#include "core/sync/metadata.hpp"
#include "core/sync/session.hpp"
#include "tests/unit/sync/run_coroutine.hpp"
#include "tests/unit/sync/session_fixture.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::plan;
using namespace mirror::sync;
using namespace mirror::tests;
using namespace std::chrono_literals;
using copernica::ApiError;
using copernica::ErrorKind;

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
        // One of several windows at work, and no other request shows that only this one fails.
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

TEST_CASE("a page that is cut short now and then is not proof") {
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

TEST_CASE("a longest period does not end an otherwise whole run") {
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

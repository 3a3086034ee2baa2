// Whole runs against an API that refuses, asks to wait, serves unusable records or small pages
// only.
#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/copernica/errors.hpp"
#include "core/sync/metadata.hpp"
#include "core/sync/session.hpp"
#include "core/time/text.hpp"
#include "tests/unit/sync/session_fixture.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::sync;
using namespace mirror::tests;
using namespace std::chrono_literals;

TEST_CASE("one refusal that `identity` does not share is a failure like any other") {
    for (const int status : {401, 403}) {
        for (const std::uint64_t refused : {1U, 2U, 5U}) {
            CAPTURE(status);
            World world(noon);
            fill(world.model, noon - 24h * 100, noon - 10s, 3'000, 3);
            world.api.on_page = [&](const copernica::PageQuery&) {
                if (world.api.pages == refused) {
                    throw ApiError(ErrorKind::token_refused, "This token may not", status);
                }
            };
            CHECK(world.sync().whole());
            CHECK(world.clock.now() - noon <= 2min);
            CHECK_EXACT(world);
        }
    }
}

// A token without the right to read impressions, or a gateway that answers as the API does.
TEST_CASE(
    "impressions refused for good, though identity is answered, end a command with the reason") {
    World world(noon);
    world.settings.give_up_after = Seconds(60);
    fill(world.model, noon - 24h * 100, noon - 10s, 3'000, 3);
    world.api.on_page = [](const copernica::PageQuery&) {
        throw ApiError(ErrorKind::token_refused, "This token may not", 403);
    };
    CHECK_THROWS_WITH_AS(world.sync(), doctest::Contains("This token may not"), ApiFailed);
    CHECK(world.clock.now() - noon <= 20min);
    CHECK(world.api.pages + world.api.identities <= 60);
    CHECK_FALSE(world.log.warnings.empty());
}

TEST_CASE(
    "impressions refused while `run` follows are asked for with growing pauses, and reported") {
    World world(noon);
    world.settings.give_up_after.reset();
    fill(world.model, noon - 24h * 10, noon - 10s, 300, 3);
    world.api.on_page = [&world](const copernica::PageQuery&) {
        if (world.clock.now() > noon + 5min) {
            throw ApiError(ErrorKind::token_refused, "This token may not", 403);
        }
    };
    world.follow_until(noon + 5min);
    const std::uint64_t before = world.api.pages + world.api.identities;
    world.follow_until(noon + 65min);
    CHECK(world.api.pages + world.api.identities - before <= 200);
    CHECK_FALSE(world.log.warnings.empty());
    CHECK(world.store.facts[metadata::last_error] != "");
}

TEST_CASE("too many requests: it says nothing of a window, and costs a request each time") {
    const auto requests_with = [](std::uint64_t first, std::uint64_t count) {
        World world(noon);
        world.settings.jitter_seed = 7;
        fill(world.model, noon - 24h * 300, noon - 10s, 3'000, 3);
        world.api.on_page = [&world, first, count](const copernica::PageQuery&) {
            if (world.api.pages >= first && world.api.pages < first + count) {
                throw ApiError(ErrorKind::try_again, "429", 429, std::chrono::seconds(0));
            }
        };
        const Outcome outcome = world.sync();
        CHECK(outcome.whole());
        CHECK_EXACT(world);
        return outcome.requests;
    };
    const std::uint64_t without = requests_with(1'000'000, 0);
    for (std::uint64_t count = 1; count <= 12; ++count) {
        CAPTURE(count);
        // One that is asked again may meet another width of the windows after it.
        CHECK(requests_with(2, count) <= without + count + 4);
    }
}

TEST_CASE("unusable records: the same ones in two replies are what the API has") {
    for (const int one_in : {1, 2, 50, 101}) {
        CAPTURE(one_in);
        World world(noon);
        world.settings.start = local("2026-05-01 00:00:00");
        for (int i = 0; i < 5'000; ++i) {
            world.model.add(noon - 24h * 20 + i * 240s, i % one_in == 0);
        }
        const Outcome outcome = world.sync();
        CHECK(outcome.whole());
        CHECK(world.store.rejects.size() ==
              static_cast<std::size_t>((5'000 + one_in - 1) / one_in));
        CHECK(outcome.requests <= 80);
        CHECK(world.clock.now() - noon <= 1min);
        CHECK_EXACT(world);
    }
}

TEST_CASE("unusable records: a reply that differs from the one before is doubted") {
    World world(noon);
    fill(world.model, noon - 24h * 20, noon - 10s, 2'000, 3);
    std::uint64_t distorted = 0;
    world.api.distort = [&](const copernica::PageQuery&, copernica::Page& page) {
        if (world.api.pages % 3 == 0 || page.rows.size() < 10) {
            return;
        }
        // Some of the rows come without an ID, others each time.
        ++distorted;
        std::vector<Row> rows = std::exchange(page.rows, {});
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if ((i + distorted) % 5 == 0) {
                Reject reject;
                reject.position = i;
                reject.time = rows[i].time;
                reject.timestamp = format_local(rows[i].time);
                reject.reason = "no usable ID";
                reject.record = fmt::format("{{\"n\":{}}}", rows[i].id);
                page.rejects.push_back(reject);
            } else {
                page.rows.push_back(rows[i]);
            }
        }
    };
    CHECK(world.sync().whole());
    CHECK(distorted > 2);
    CHECK(world.store.rejects.empty());
    CHECK_EXACT(world);
}

TEST_CASE("large pages that never arrive are asked for in smaller ones, also by the next process") {
    for (const ErrorKind kind : {ErrorKind::try_again, ErrorKind::invalid_response}) {
        World world(noon);
        world.settings.give_up_after = Seconds(120);
        fill(world.model, noon - 24h * 60, noon - 10s, 20'000, 3);
        std::uint64_t too_large = 0;
        const auto limited = [&](const copernica::PageQuery& query) {
            const std::size_t found = world.model.matching(query, world.clock.now()).size();
            const std::size_t left = found - std::min<std::size_t>(found, query.start);
            if (std::min<std::size_t>(left, query.limit) > 300) {
                ++too_large;
                ApiError error(kind, "the balancer's time limit", 504);
                if (kind == ErrorKind::invalid_response) {
                    error.set_maybe_too_large();
                }
                throw error;
            }
        };
        world.api.on_page = limited;
        const Outcome outcome = world.sync();
        CHECK(outcome.whole());
        CHECK_EXACT(world);
        CHECK(too_large < 60);
        CHECK(outcome.requests < 400);
        const int learned = std::stoi(world.store.facts[metadata::page_size]);
        CHECK(learned >= 250);
        CHECK(learned <= 300);

        // Another process begins with what this one has learned.
        too_large = 0;
        world.store.covered = {};
        CHECK(world.sync().whole());
        CHECK(too_large < 10);

        // The server recovers.
        world.api.on_page = nullptr;
        for (int run = 0; run < 6; ++run) {
            world.store.covered = {};
            CHECK(world.sync().whole());
        }
        CHECK(world.store.facts[metadata::page_size].empty());
        CHECK_EXACT(world);
    }
}

TEST_CASE("a window that fails whatever is asked of it does not make pages smaller") {
    World world(noon);
    fill(world.model, noon - 24h * 100, noon - 10s, 5'000, 3);
    const Instant bad = noon - 24h * 50;
    fail_within(world.api, world.model.zone, {bad, bad + 3s}, ErrorKind::try_again, 504);
    const Outcome outcome = world.sync();
    CHECK_FALSE(outcome.whole());
    CHECK(world.store.facts[metadata::page_size].empty());
    CHECK_EXACT(world);
}

// Sessions of several streams: what they share, and that none holds up another.
#include <exception>
#include <map>
#include <string>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include "core/copernica/errors.hpp"
#include "core/sync/metadata.hpp"
#include "core/sync/session.hpp"
#include "tests/unit/sync/live.hpp"
#include "tests/unit/sync/run_coroutine.hpp"
#include "tests/unit/sync/session_fixture.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::sync;
using namespace mirror::tests;
using namespace std::chrono_literals;

namespace {

// Three streams, each of which has the model's rows.
struct Three {
    Three() : world(noon) {
        fill(world.model, noon - 24h * 10, noon - 10s, 3'000, 3);
        world.api.on_stream = [this](const Stream& stream) {
            ++pages[std::string(stream.name)];
            if (refused == stream.name) {
                throw ApiError(kind, "This token may not",
                               kind == ErrorKind::token_refused ? 403 : 404);
            }
        };
    }

    std::vector<StreamToMirror> all() {
        return {
            {world.store, world.settings}, {clicks, world.settings}, {mailings, world.settings}};
    }

    // Without the last one.
    void sync_two() {
        std::vector<StreamToMirror> two = all();
        two.pop_back();
        Session session(world.loop.get_executor(), world.api, two, world.clock, world.log);
        for (const auto& result : run(world.loop, session.sync_all())) {
            REQUIRE(result.result.has_value());
        }
    }

    std::vector<StreamResult<Outcome>> sync() {
        Session session(world.loop.get_executor(), world.api, all(), world.clock, world.log);
        return run(world.loop, session.sync_all());
    }

    void follow_until(Instant end) {
        Session session(world.loop.get_executor(), world.api, all(), world.clock, world.log);
        boost::asio::cancellation_signal stop;
        world.clock.on_time = [&] {
            if (world.clock.now() >= end) {
                boost::asio::post(world.loop,
                                  [&stop] { stop.emit(boost::asio::cancellation_type::terminal); });
            }
        };
        boost::asio::co_spawn(
            world.loop, session.run(),
            boost::asio::bind_cancellation_slot(stop.slot(), [](const std::exception_ptr&) {}));
        world.loop.restart();
        world.loop.run();
        world.clock.on_time = nullptr;
    }

    World world;
    FakeStore clicks{world.settings.zone, *find_stream("clicks")};
    FakeStore mailings{world.settings.zone, *find_stream("mailings")};
    std::string refused;  // the stream that the token may not read
    ErrorKind kind = ErrorKind::request_refused;
    std::map<std::string, int> pages;
};

}  // namespace

TEST_CASE("several streams: one identity and one check of the zone are for all") {
    Three three;
    const auto results = three.sync();
    REQUIRE(results.size() == 3);
    for (const auto& result : results) {
        CAPTURE(result.stream->name);
        REQUIRE(result.result.has_value());
        CHECK(result.result->whole());
        CHECK(result.result->written.inserted == 3'000);
    }
    CHECK(three.world.api.identities == 1);
    CHECK(three.clicks.rows == three.world.store.rows);
    CHECK(three.mailings.rows == three.world.store.rows);
    // They are read one after the other, so the later one is covered until a later moment.
    REQUIRE(three.clicks.covered.windows().size() == 1);
    const Window covered = three.clicks.covered.windows().front();
    CHECK(covered.begin == three.world.store.covered.windows().front().begin);
    CHECK(covered.end >= three.world.store.covered.windows().back().end);
}

TEST_CASE("several streams: one that the token may not read is named, the others are complete") {
    for (const char* const refused : {"impressions", "clicks", "mailings"}) {
        for (const ErrorKind kind : {ErrorKind::request_refused, ErrorKind::token_refused}) {
            CAPTURE(std::string(refused));
            CAPTURE(kind);
            Three three;
            three.refused = refused;
            three.kind = kind;
            const auto results = three.sync();
            REQUIRE(results.size() == 3);
            for (const auto& result : results) {
                CAPTURE(result.stream->name);
                CHECK(result.failed.has_value() == (result.stream->name == refused));
                CHECK((result.result && result.result->whole()) ==
                      (result.stream->name != refused));
            }
            // Not after all of give_up_after.
            CHECK(three.world.clock.now() - noon <= 5min);
        }
    }
}

TEST_CASE("several streams: a command ends with the reason if all of them fail") {
    Three three;
    three.world.api.on_page = [](const PageQuery&) {
        throw ApiError(ErrorKind::request_refused, "no such call", 404);
    };
    CHECK_THROWS_WITH_AS(three.sync(), doctest::Contains("no such call"), ApiFailed);
}

TEST_CASE("several streams: a command waits once for an API that does not answer") {
    for (const int works_until : {0, 1, 5}) {
        CAPTURE(works_until);
        Three three;
        const Seconds patience = three.world.settings.give_up_after.value();
        std::optional<Instant> gave_up;  // the first stream
        const auto fail = [&] {
            const FakeApi& api = three.world.api;
            if (api.pages + api.identities > static_cast<unsigned>(works_until)) {
                if (!three.world.store.facts[metadata::last_error].empty() && !gave_up) {
                    gave_up = three.world.clock.now();
                }
                throw ApiError(ErrorKind::try_again, "connection refused");
            }
        };
        three.world.api.on_page = [&](const PageQuery&) { fail(); };
        three.world.api.on_identity = fail;
        CHECK_THROWS_WITH_AS(three.sync(), doctest::Contains("gave up after"), ApiFailed);
        CHECK(three.world.clock.now() - noon >= patience);
        // The others are tried once more, but they do not wait.
        REQUIRE(gave_up.has_value());
        CHECK(three.world.clock.now() - *gave_up <= 10s);
        for (FakeStore* const store : {&three.world.store, &three.clicks, &three.mailings}) {
            CHECK(store->facts[metadata::last_error].find("gave up after") != std::string::npos);
        }
    }
}

TEST_CASE("several streams: the others are read after one whose call is never answered") {
    for (const char* const silent : {"impressions", "clicks", "mailings"}) {
        CAPTURE(std::string(silent));
        Three three;
        three.refused = silent;
        three.kind = ErrorKind::try_again;
        const auto results = three.sync();
        REQUIRE(results.size() == 3);
        for (const auto& result : results) {
            CAPTURE(result.stream->name);
            CHECK(result.failed.has_value() == (result.stream->name == silent));
            CHECK((result.result && result.result->whole()) == (result.stream->name != silent));
        }
        const Seconds patience = three.world.settings.give_up_after.value();
        CHECK(three.world.clock.now() - noon <= patience + 10min);
    }
}

TEST_CASE("several streams: one that fails holds up no poll of the others") {
    Three three;
    three.refused = "clicks";
    three.kind = ErrorKind::token_refused;
    three.world.settings.give_up_after.reset();
    three.follow_until(noon + 2h);
    const auto age = [](const FakeStore& store, Instant now) {
        return now - store.covered.windows().back().end;
    };
    CHECK(age(three.world.store, noon + 2h) <= 3min);
    CHECK(age(three.mailings, noon + 2h) <= 3min);
    CHECK(three.clicks.covered.empty());
    CHECK(three.clicks.facts[metadata::last_error].find("right to read clicks") !=
          std::string::npos);
    CHECK(three.world.store.facts[metadata::last_error].empty());
    CHECK(three.mailings.facts[metadata::last_error].empty());
}

TEST_CASE("several streams: a token that is refused is told of once for all") {
    Three three;
    three.world.settings.give_up_after.reset();
    three.world.settings.token_advice = "put a new one into token.txt";
    bool refuses = false;
    const auto refuse = [&refuses](const std::string& call) {
        if (refuses) {
            throw ApiError(ErrorKind::token_refused, call + ": Invalid access token", 401);
        }
    };
    three.world.api.on_stream = [&](const Stream& stream) { refuse(std::string(stream.name)); };
    three.world.api.on_identity = [&] { refuse("identity"); };
    three.follow_until(noon + 1h);
    const auto told = [&three] { return count(three.world.log.warnings, "; put a new one"); };
    CHECK(told() == 0);
    // For hours, with another text for each call.
    refuses = true;
    three.follow_until(noon + 4h);
    CHECK(told() == 1);
    for (FakeStore* const store : {&three.world.store, &three.clicks, &three.mailings}) {
        CHECK(store->facts[metadata::last_error].find("put a new one") != std::string::npos);
    }
}

TEST_CASE("several streams: a token that is refused later, or in another way, is told of again") {
    Three three;
    three.world.settings.give_up_after.reset();
    int status = 0;
    const auto refuse = [&](const std::string& call) {
        const Seconds since = three.world.clock.now() - noon;
        // Twice for an hour; the second time, another reason comes in the middle of it.
        const bool first = since >= 1h && since < 2h;
        const bool second = since >= 4h && since < 6h;
        status = since < 5h ? 401 : 403;
        if (first || second) {
            throw ApiError(ErrorKind::token_refused, call + ": no", status);
        }
    };
    three.world.api.on_stream = [&](const Stream& stream) { refuse(std::string(stream.name)); };
    three.world.api.on_identity = [&] { refuse("identity"); };
    three.follow_until(noon + 8h);
    CHECK(count(three.world.log.warnings, ": no; ") == 3);
    CHECK(three.world.store.facts[metadata::last_error].empty());
    CHECK(three.mailings.facts[metadata::last_error].empty());
}

TEST_CASE("several streams: the past of one that is new is filled behind the tails of all") {
    Three three;
    three.sync_two();
    three.world.settings.requests_per_second = 1;
    three.world.settings.connections = 2;
    three.world.settings.page_size = 4;
    const Instant end = three.world.clock.now() + 10min;
    three.follow_until(end);
    for (const FakeStore* const store : {&three.world.store, &three.clicks, &three.mailings}) {
        CHECK(end - store->covered.windows().back().end <= 3min);
    }
    // It was at work all the time, and is not done: 3,000 rows take 750 pages, and counts.
    const auto& periods = three.mailings.covered.windows();
    const auto& wanted = three.world.store.covered.windows();
    CHECK(periods.front().begin > wanted.front().begin);
    CHECK(three.mailings.rows.size() > 500);
    CHECK(three.mailings.rows.size() < 3'000);
}

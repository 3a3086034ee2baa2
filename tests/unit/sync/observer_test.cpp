// What a run reports: requests, what was stored, its state; and what it writes of that to the file.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include "core/sync/metadata.hpp"
#include "core/sync/session.hpp"
#include "core/sync/stream_observer.hpp"
#include "tests/support/times.hpp"
#include "tests/unit/sync/run_coroutine.hpp"
#include "tests/unit/sync/world.hpp"

using namespace mirror;
using namespace mirror::tests;
using copernica::ApiError;
using copernica::ErrorKind;
using copernica::RequestOutcome;
namespace asio = boost::asio;

namespace {

struct Recorder final : sync::Observer {
    void warning(const std::string& line) override { warnings.push_back(line); }
    void request_ended(RequestOutcome outcome, std::chrono::nanoseconds took) override {
        ++outcomes[outcome];
        longest = std::max(longest, took);
    }
    void request_again() override { ++again; }
    void first_load(const sync::FirstLoad& load) override {
        first_loads.push_back(load.rows);
        loaded = load;
    }
    void stored(const sync::Written& more) override { written += more; }
    void progress(const sync::Progress& now) override { progresses.push_back(now); }
    void following(const sync::Following& state) override {
        states.push_back(state);
        if (on_following) {
            on_following(state);
        }
    }

    std::uint64_t requests() const {
        std::uint64_t all = 0;
        for (const auto& [outcome, count] : outcomes) {
            all += count;
        }
        return all;
    }

    std::map<RequestOutcome, std::uint64_t> outcomes;
    std::uint64_t again = 0;
    std::chrono::nanoseconds longest{0};
    sync::Written written;
    std::vector<sync::Progress> progresses;
    std::vector<sync::Following> states;
    std::vector<std::string> warnings;
    std::vector<std::uint64_t> first_loads;
    sync::FirstLoad loaded;
    std::function<void(const sync::Following&)> on_following;
};

struct Follower : World {
    Follower() : World(utc("2026-11-23 16:00:00")) {
        settings.start = local("2026-11-20 00:00:00");
        settings.give_up_after.reset();
        for (int row = 0; row < 200; ++row) {
            model.add(utc("2026-11-20 00:00:00") + Seconds(row * 600));
        }
    }

    // Runs until `end` is emitted.
    void follow() {
        sync::Session session(loop.get_executor(), api, store, clock, recorder, settings);
        asio::co_spawn(loop, session.run(),
                       asio::bind_cancellation_slot(end.slot(), [](const std::exception_ptr&) {}));
        loop.restart();
        loop.run();
    }

    void stop() { end.emit(asio::cancellation_type::terminal); }

    Recorder recorder;
    asio::cancellation_signal end;
};

}  // namespace

TEST_CASE("observer: messages name the stream if there are several") {
    const Stream& clicks = *find_stream("clicks");
    for (const bool several : {true, false}) {
        CAPTURE(several);
        Recorder recorder;
        sync::StreamObserver observer(recorder, clicks, several);
        observer.warning("late");
        observer.progress({});
        observer.first_load({.rows = 5});
        observer.following({});
        CHECK(recorder.warnings.back() == (several ? "clicks: late" : "late"));
        CHECK(recorder.progresses.back().stream == (several ? &clicks : nullptr));
        CHECK(recorder.loaded.stream == &clicks);
        CHECK(recorder.loaded.one_of_several == several);
        CHECK(recorder.first_loads == std::vector<std::uint64_t>{5});
        CHECK(recorder.states.back().stream == &clicks);
    }
}

TEST_CASE("requests are told of as they end, and those that are made again") {
    World world(utc("2026-11-23 16:00:00"));
    world.settings.jitter_seed = 1;
    world.settings.start = local("2026-11-20 00:00:00");
    for (int row = 0; row < 200; ++row) {
        world.model.add(utc("2026-11-20 00:00:00") + Seconds(row * 600));
    }
    int page = 0;
    world.api.on_page = [&](const copernica::PageQuery&) {
        ++page;
        if (page == 2 || page == 3) {
            throw ApiError(ErrorKind::try_again, "HTTP status 503", 503);
        }
    };
    int distorted = 0;
    world.api.distort = [&](const copernica::PageQuery&, copernica::Page& reply) {
        if (page == 4 && ++distorted == 1) {
            reply.count = 12'345;  // not as many records as it says
        }
    };
    Recorder recorder;
    sync::Session session(world.loop.get_executor(), world.api, world.store, world.clock, recorder,
                          world.settings);
    const sync::Outcome outcome = run(world.loop, session.sync());
    CHECK(outcome.whole());
    CHECK(recorder.outcomes[RequestOutcome::failed] == 2);
    CHECK(recorder.outcomes[RequestOutcome::invalid_response] == 1);
    CHECK(recorder.outcomes.size() == 3);  // and ok
    CHECK(recorder.again == 2);            // after the third, the window was halved instead
    CHECK(recorder.requests() == world.api.pages + world.api.identities);
    CHECK(recorder.requests() == outcome.requests);
    CHECK(recorder.longest >= world.api.duration);
    CHECK(recorder.written.inserted == 200);
    CHECK(recorder.written.inserted == outcome.written.inserted);
    CHECK(recorder.states.empty());  // it follows nothing
}

TEST_CASE("progress counts each row once, page by page, also if windows are read again") {
    World world(utc("2026-11-23 16:00:00"));
    world.settings.start = local("2026-01-01 00:00:00");
    world.settings.requests_per_second = 2;  // slow enough for an estimate
    constexpr int mailings = 40;
    constexpr int rows = 2000;
    for (int mailing = 0; mailing < mailings; ++mailing) {
        for (int row = 0; row < rows; ++row) {
            world.model.add(utc("2026-02-01 08:00:00") + Seconds(mailing * 600'000 + row * 10));
        }
    }
    int incomplete = 0;
    int later_pages = 0;
    world.api.distort = [&](const copernica::PageQuery& query, copernica::Page& reply) {
        if (!query.total && reply.records() > 1 && ++later_pages % 8 == 0) {
            reply.rows.pop_back();
            reply.count = reply.records();
            ++incomplete;
        }
    };
    Recorder recorder;
    sync::Session session(world.loop.get_executor(), world.api, world.store, world.clock, recorder,
                          world.settings);
    CHECK(run(world.loop, session.sync()).whole());
    CHECK(incomplete > 2);
    const auto& progresses = recorder.progresses;
    REQUIRE(progresses.size() > mailings * rows / world.settings.page_size);
    std::uint64_t before = 0;
    for (const sync::Progress& progress : progresses) {
        CHECK(progress.rows <= before + world.settings.page_size);
        CHECK(progress.rows <= mailings * rows);
        CHECK(progress.rate_from.rows <= mailings * rows);
        CHECK(progress.period.contains(progress.at));
        before = progress.rows;
    }
    CHECK(progresses.back().rows == mailings * rows);
    CHECK(progresses.back().expected == mailings * rows);
}

TEST_CASE("a first load tells how many rows it is, and no other does") {
    Follower world;
    world.settings.requests_per_second = 2;  // slow enough for an estimate
    world.settings.page_size = 10;
    const auto sync = [&world] {
        sync::Session session(world.loop.get_executor(), world.api, world.store, world.clock,
                              world.recorder, world.settings);
        run(world.loop, session.sync());
    };
    sync();
    CHECK(world.recorder.first_loads == std::vector<std::uint64_t>{200});
    // Another year, before what the file has: no first load.
    world.settings.start = local("2025-11-20 00:00:00");
    for (int row = 0; row < 300; ++row) {
        world.model.add(utc("2025-11-20 00:00:00") + Seconds(row * 600));
    }
    sync();
    CHECK(world.recorder.first_loads == std::vector<std::uint64_t>{200});
    // What the file had is read again.
    sync::Session session(world.loop.get_executor(), world.api, world.store, world.clock,
                          world.recorder, world.settings);
    sync::BackfillRequest request;
    request.from = world.settings.start;
    request.force = true;
    run(world.loop, session.backfill(request));
    CHECK(world.recorder.first_loads == std::vector<std::uint64_t>{200});
}

TEST_CASE("a refused token is reported once, and is not a retry") {
    World world(utc("2026-11-23 16:00:00"));
    world.api.on_identity = [] {
        throw ApiError(ErrorKind::token_refused, "HTTP status 401", 401);
    };
    Recorder recorder;
    sync::Session session(world.loop.get_executor(), world.api, world.store, world.clock, recorder,
                          world.settings);
    CHECK_THROWS(run(world.loop, session.sync()));
    CHECK(recorder.outcomes ==
          std::map<RequestOutcome, std::uint64_t>{{RequestOutcome::token_refused, 1}});
    CHECK(recorder.again == 0);
}

TEST_CASE("run tells how it is after each poll") {
    Follower world;
    world.recorder.on_following = [&](const sync::Following&) {
        if (world.recorder.states.size() == 4) {
            world.stop();
        }
    };
    world.follow();
    const auto& states = world.recorder.states;
    REQUIRE(states.size() == 4);
    CHECK_FALSE(states[0].complete.has_value());  // nothing but the account is known
    CHECK_FALSE(states[0].last_success.has_value());
    for (std::size_t i = 1; i < states.size(); ++i) {
        REQUIRE(states[i].complete.has_value());
        CHECK(states[i].complete->begin >= utc("2026-11-19 23:00:00"));
        CHECK(states[i].last_success.has_value());
        CHECK_FALSE(states[i].trouble.has_value());
        CHECK(states[i].server_now - states[i].complete->end < Seconds(60));
    }
    // The newest rows come first, the past beside the polls.
    CHECK(states.back().complete->begin == utc("2026-11-19 23:00:00"));
    const Seconds moved = states[3].complete->end - states[2].complete->end;
    CHECK(moved >= world.settings.poll_interval - Seconds(1));  // parts of seconds are cut off
    CHECK(moved <= world.settings.poll_interval + Seconds(1));
    CHECK(world.store.facts.at(sync::metadata::last_error) == "");
    CHECK(world.store.facts.contains(sync::metadata::last_success));
}

TEST_CASE("run tells of an outage while it lasts, and the file since when") {
    Follower world;
    bool down = false;
    world.api.on_page = [&](const copernica::PageQuery&) {
        if (down) {
            throw ApiError(ErrorKind::try_again, "HTTP status 503", 503);
        }
    };
    world.settings.poll_interval = Seconds(5);  // rounds of the past that have nothing to ask
    std::optional<std::string> since;
    std::optional<std::string> succeeded;
    std::size_t told = 0;
    bool recovered = false;
    world.recorder.on_following = [&](const sync::Following& state) {
        if (!down && !recovered && state.last_success) {
            down = world.recorder.states.size() > 100;  // the past has been read
        } else if (down && state.trouble) {
            CHECK(state.complete.has_value());
            CHECK(state.trouble->find("HTTP status 503") != std::string::npos);
            CHECK(state.trouble->find("copernica-mirror check") != std::string::npos);
            CHECK(world.store.facts.at(sync::metadata::last_error) == *state.trouble);
            const std::string now = world.store.facts.at(sync::metadata::failing_since);
            CHECK(now != "");
            CHECK(since.value_or(now) == now);
            since = now;
            const std::string last = world.store.facts.at(sync::metadata::last_success);
            CHECK(succeeded.value_or(last) == last);
            succeeded = last;
            if (++told == 50) {
                down = false;
                recovered = true;
            }
        } else if (recovered && !state.trouble) {
            world.stop();
        } else if (down) {
            CHECK(told == 0);  // nothing succeeds while it lasts
        }
    };
    world.follow();
    CHECK(told == 50);
    CHECK(world.store.facts.at(sync::metadata::last_error) == "");
    CHECK(world.store.facts.at(sync::metadata::failing_since) == "");
    CHECK(world.recorder.warnings.size() >= 1);  // that it began, and reminders
    CHECK(world.difference() == "");
}

TEST_CASE("run tells of a period that cannot be read, also after an outage in between") {
    Follower world;
    const Window bad{utc("2026-11-20 06:00:00"), utc("2026-11-20 06:00:10")};
    const Zone zone = world.settings.zone;
    bool down = false;
    world.api.on_page = [&](const copernica::PageQuery& query) {
        if (down) {
            throw ApiError(ErrorKind::try_again, "HTTP status 503", 503);
        }
        if (query.begintime < zone.to_local(bad.end) - Seconds(1) &&
            query.endtime > zone.to_local(bad.begin)) {
            throw ApiError(ErrorKind::request_refused, "this period is refused", 400);
        }
    };
    std::vector<std::string> story;
    std::vector<Instant> changed;
    world.recorder.on_following = [&](const sync::Following& state) {
        const std::string trouble = state.trouble.value_or("");
        const std::string now = trouble.find("refused") != std::string::npos ? "period"
                                : trouble.find("503") != std::string::npos   ? "outage"
                                                                             : "none";
        if (story.empty() || story.back() != now) {
            story.push_back(now);
            changed.push_back(world.clock.now());
        }
        down = story.size() == 2;  // from the period's trouble to the outage's
        if (story.size() == 4 || world.recorder.states.size() > 40) {
            world.stop();
        }
    };
    world.follow();
    CHECK(story == std::vector<std::string>{"none", "period", "outage", "period"});
    // At the next poll that ends, not when the period is tried again, an hour later.
    CHECK(changed.back() - changed.front() < std::chrono::minutes(30));
    CHECK(world.difference() == "");
}

TEST_CASE("run writes itself down at the first poll, then each hour, and at its end") {
    Follower world;
    world.recorder.on_following = [&](const sync::Following&) {
        if (world.recorder.states.size() == 130) {
            world.stop();
        }
    };
    world.follow();
    std::vector<std::string> outcomes;
    for (const sync::RunRecord& run : world.store.runs) {
        outcomes.push_back(run.outcome);
    }
    // 129 polls a minute apart.
    CHECK(outcomes == std::vector<std::string>{"running", "running", "running", "stopped"});
}

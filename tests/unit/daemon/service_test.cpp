// What the service manager is told, and whether the storage makes progress.

#include <vector>

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "daemon/service/service_report.hpp"
#include "daemon/service/watchdog_feeder.hpp"

using namespace mirror;
using namespace mirror::daemon;

namespace {

class Recorder final : public ServiceManager {
  public:
    void notify(const std::string& lines) override { messages.push_back(lines); }
    std::optional<std::chrono::microseconds> watchdog() const override { return patience; }

    std::vector<std::string> messages;
    std::optional<std::chrono::microseconds> patience;
};

class StandingClock final : public Clock {
  public:
    Instant utc() const override { return {}; }
    Monotonic monotonic() const override { return now; }
    boost::asio::awaitable<void> sleep(std::chrono::milliseconds) override { co_return; }

    Monotonic now{};
};

Instant at(const std::string& text) {
    return Instant(parse_local(text).value().time_since_epoch());
}

sync::Following well() {
    sync::Following state;
    state.complete = Window{at("2020-01-01 00:00:00"), at("2026-11-23 16:00:05")};
    state.server_now = at("2026-11-23 16:00:19");
    return state;
}

const Zone amsterdam("Europe/Amsterdam");

}  // namespace

TEST_CASE("service: the status line") {
    sync::Following state;
    CHECK(service_status(state, amsterdam) == "nothing is complete yet");
    state = well();
    CHECK(service_status(state, amsterdam) ==
          "complete through 2026-11-23 17:00:05 (Europe/Amsterdam), 14 s behind, and back to "
          "2020-01-01 01:00:00");
    state.trouble = "the token was refused; do this";
    CHECK(service_status(state, amsterdam) ==
          "the token was refused; do this; complete through 2026-11-23 17:00:05 "
          "(Europe/Amsterdam), 14 s behind, and back to 2020-01-01 01:00:00");
    // The server's clock went back: not behind.
    state = well();
    state.server_now = state.complete->begin;
    CHECK(service_status(state, amsterdam).find(", 0 s behind") != std::string::npos);
    // No other message can be smuggled in.
    state.trouble = "he said:\nREADY=1\x1b[2J";
    const std::string text = service_status(state, amsterdam);
    CHECK(text.find('\n') == std::string::npos);
    CHECK(text.find('\x1b') == std::string::npos);
}

TEST_CASE("service: what is told, in order") {
    Recorder manager;
    StandingClock clock;
    ServiceReport report(manager, clock, amsterdam);
    // However often SQLite shows that it goes on.
    for (int sign = 0; sign < 1000; ++sign) {
        report.opening();
        clock.now += std::chrono::milliseconds(10);
    }
    REQUIRE(manager.messages.size() == 2);
    CHECK(manager.messages[1] == "STATUS=preparing the database\nEXTEND_TIMEOUT_USEC=60000000");
    report.ready();
    CHECK(manager.messages.back().rfind("READY=1\nSTATUS=", 0) == 0);
    report.following(well());
    CHECK(manager.messages.back().rfind("STATUS=complete through", 0) == 0);
    report.held_up(false);
    CHECK(manager.messages.size() == 4);
    report.held_up(true);
    report.held_up(true);
    REQUIRE(manager.messages.size() == 5);
    CHECK(manager.messages.back().rfind("STATUS=the database makes no progress", 0) == 0);
    CHECK(manager.messages.back().find("complete through") != std::string::npos);
    report.held_up(false);
    CHECK(manager.messages.back().rfind("STATUS=complete through", 0) == 0);
    report.stopping();
    const std::size_t told = manager.messages.size();
    CHECK(manager.messages.back().rfind("STOPPING=1\n", 0) == 0);
    report.stopping();
    report.following(well());
    report.held_up(true);
    CHECK(manager.messages.size() == told);
}

TEST_CASE("service: whether the storage makes progress") {
    struct Look {
        storage::Activity seen;
        bool moves;
    };
    const std::vector<std::vector<Look>> stories{
        // Idle, however long.
        {{{0, 0, 0}, true}, {{0, 0, 0}, true}, {{5, 5, 9}, true}, {{5, 5, 9}, true}},
        // A call that hangs; it had no time yet when it was seen first.
        {{{5, 5, 0}, true}, {{6, 5, 0}, true}, {{6, 5, 0}, false}, {{6, 5, 0}, false}},
        // More calls queue up behind it: that is not its progress.
        {{{6, 5, 0}, true}, {{7, 5, 0}, false}, {{9, 5, 0}, false}},
        // One that goes on, hangs, and goes on.
        {{{6, 5, 0}, true}, {{6, 5, 1}, true}, {{6, 5, 1}, false}, {{6, 5, 2}, true}},
        // Each look meets another call.
        {{{6, 5, 0}, true}, {{7, 6, 0}, true}, {{8, 7, 0}, true}},
        // It ends at last.
        {{{6, 5, 0}, true}, {{6, 5, 0}, false}, {{6, 6, 0}, true}, {{6, 6, 0}, true}},
    };
    for (const auto& story : stories) {
        StorageProgress progress;
        for (const Look& look : story) {
            CHECK(progress.moves(look.seen) == look.moves);
        }
    }
}

TEST_CASE("service: the watchdog is fed by the loop's timer, while the storage moves") {
    Recorder manager;
    boost::asio::io_context loop;
    storage::Activity seen;
    std::vector<bool> told;
    const auto activity = [&] { return seen; };
    const auto held_up = [&](bool held) { told.push_back(held); };

    SUBCASE("nobody watches") {
        WatchdogFeeder feeder(loop.get_executor(), manager, activity, held_up);
        CHECK(loop.run() == 0);
    }
    SUBCASE("somebody does") {
        manager.patience = std::chrono::microseconds(400);
        WatchdogFeeder feeder(loop.get_executor(), manager, activity, held_up);
        CHECK(manager.messages.empty());
        loop.run_one();
        CHECK(manager.messages == std::vector<std::string>{"WATCHDOG=1"});
        seen.asked = 1;
        loop.run_one();
        CHECK(manager.messages.size() == 2);
        loop.run_one();
        loop.run_one();
        CHECK(manager.messages.size() == 2);
        seen.done = 1;
        loop.run_one();
        CHECK(manager.messages.size() == 3);
        CHECK(told == std::vector<bool>{false, false, true, true, false});
        feeder.close();
        loop.run();
        CHECK(manager.messages.size() == 3);
    }
}

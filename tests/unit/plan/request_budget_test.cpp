// A day's budget of requests: what is new first, then rechecks, then the past.
#include "core/plan/request_budget.hpp"

#include <algorithm>
#include <random>

#include <doctest/doctest.h>

#include "core/plan/poll_pace.hpp"

using namespace mirror;
using namespace mirror::plan;
using namespace std::chrono_literals;

namespace {

BudgetState state(std::uint64_t limit, std::uint64_t used, Seconds left, Seconds interval = 60s) {
    BudgetState now;
    now.limit = limit;
    now.used = used;
    now.left_of_day = left;
    now.poll_interval = interval;
    return now;
}

}  // namespace

TEST_CASE("budget: who may ask, by what is left") {
    struct Line {
        BudgetState now;
        bool tail;
        bool recheck;
        bool past;
    };
    const Line lines[] = {
        {state(0, 1'000'000, 24h), true, true, true},  // no limit
        {state(5000, 0, 24h), true, true, true},
        // 10 hours are 600 polls, and 75 requests for rechecks.
        {state(5000, 5000 - 676, 10h), true, true, true},
        {state(5000, 5000 - 675, 10h), true, true, false},
        {state(5000, 5000 - 601, 10h), true, true, false},
        {state(5000, 5000 - 600, 10h), true, false, false},
        {state(5000, 4999, 10h), true, false, false},
        {state(5000, 5000, 10h), false, false, false},
        {state(5000, 6000, 10h), false, false, false},  // a limit that was lowered
        // Polls every minute would take all of it: they are planned for three quarters.
        {state(1000, 0, 24h), true, true, true},
        {state(1000, 200, 24h), true, true, false},
        {state(1, 0, 24h), true, false, false},
    };
    for (const Line& line : lines) {
        CAPTURE(line.now.limit);
        CAPTURE(line.now.used);
        CHECK(may_begin(Purpose::tail, line.now) == line.tail);
        CHECK(may_begin(Purpose::recheck, line.now) == line.recheck);
        CHECK(may_begin(Purpose::past, line.now) == line.past);
    }
    BudgetState working = state(5000, 5000 - 676, 10h);
    working.at_work = 1;
    CHECK_FALSE(may_begin(Purpose::past, working));
}

TEST_CASE("budget: polls are stretched so that they cover the day") {
    CHECK(poll_pause(state(0, 0, 24h)) == 60s);
    CHECK(poll_pause(state(5000, 4000, 10h)) == 60s);
    CHECK(poll_pause(state(5000, 4700, 10h)) == 120s);
    CHECK(poll_pause(state(5000, 4999, 10h)) == 10h);
    CHECK(poll_pause(state(5000, 5000, 10h)) == 10h);
    CHECK(poll_pause(state(5000, 5000, 0s)) == 1s);
    CHECK(poll_pause(state(1000, 0, 24h)) == 116s);  // 750 polls
    CHECK(poll_pause(state(1, 0, 24h)) == 24h);
    // Several streams share it: of 750 polls, each of seven has 107; of 300 that are left, 42.
    BudgetState seven = state(1000, 0, 24h);
    seven.streams = 7;
    CHECK(poll_pause(seven) == 808s);
    seven = state(5000, 4700, 10h);
    seven.streams = 7;
    CHECK(poll_pause(seven) == 858s);
    CHECK(may_begin(Purpose::tail, seven));
    CHECK_FALSE(may_begin(Purpose::recheck, seven));
    // With fewer than streams, each of them waits.
    seven = state(5000, 4997, 10h);
    seven.streams = 7;
    CHECK(poll_pause(seven) == 10h);
    CHECK(poll_pause(state(100, 99, 1s)) >= 60s);
}

TEST_CASE("budget: the day is UTC's") {
    const Instant midnight = std::chrono::sys_days{std::chrono::year(2026) / 11 / 28};
    CHECK(left_of_day(midnight) == 24h);
    CHECK(left_of_day(midnight + 1s) == 24h - 1s);
    CHECK(left_of_day(midnight - 1s) == 1s);
}

TEST_CASE("budget: what is granted of a day's requests") {
    CHECK(granted(5, 0, 0) == 5);
    CHECK(granted(5, 1'000'000, 0) == 5);
    CHECK(granted(16, 90, 100) == 10);
    CHECK(granted(16, 100, 100) == 0);
    CHECK(granted(1, 200, 100) == 0);  // a limit that was lowered
    CHECK(granted(0, 0, 100) == 0);
    // What was not used is given back, and no more than that.
    CHECK(granted(-5, 90, 100) == -5);
    CHECK(granted(-5, 200, 100) == -5);
    CHECK(granted(-5, 3, 0) == -3);
}

// A month of polls, rechecks and a past that never ends, with whatever each takes.
TEST_CASE(
    "budget: it is never exceeded in a month, nor is the tail starved while a request is left") {
    for (unsigned seed = 0; seed < 60; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        const std::uint64_t limit = 1 + random() % (seed % 3 == 0 ? 50 : 6000);
        const Seconds interval(10 + random() % 600);
        const Instant begin = std::chrono::sys_days{std::chrono::year(2026) / 11 / 1};
        Instant now = begin + Seconds(random() % 86'400);
        std::uint64_t used = 0;
        std::uint64_t past = 0;
        Instant last_poll = now;
        Seconds due{0};
        // What a request may do: none beyond the limit.
        const auto ask = [&](std::uint64_t requests) {
            used += std::min(requests, limit - used);
            REQUIRE(used <= limit);
        };
        const auto now_state = [&](std::uint64_t at_work = 0) {
            BudgetState s = state(limit, used, left_of_day(now), interval);
            s.at_work = at_work;
            return s;
        };
        std::uint64_t days_without_poll = 0;
        bool polled_today = true;
        while (now < begin + std::chrono::days(30)) {
            const Instant day = std::chrono::floor<std::chrono::days>(now);
            if (may_begin(Purpose::tail, now_state())) {
                CHECK(now - last_poll <= due + interval);  // it came when it was due
                last_poll = now;
                polled_today = true;
                ask(1 + (random() % 20 == 0 ? random() % 4 : 0));
            }
            if (random() % 8 == 0 && may_begin(Purpose::recheck, now_state())) {
                ask(1);
            }
            for (int window = 0; window < 4 && may_begin(Purpose::past, now_state(16)); ++window) {
                const std::uint64_t before = used;
                ask(1 + random() % 16);
                past += used - before;
                // Polls have theirs left.
                REQUIRE(may_begin(Purpose::tail, now_state()));
            }
            due = poll_pause(now_state());
            now += std::max(due, Seconds(1));
            if (std::chrono::floor<std::chrono::days>(now) != day) {
                days_without_poll += polled_today ? 0 : 1;
                polled_today = false;
                used = 0;
            }
        }
        CHECK(days_without_poll == 0);
        if (limit > 100) {
            CHECK(past > 0);
        }
    }
}

TEST_CASE("pace: polls slow down while nothing comes, and are back with the first row") {
    PollPace pace;
    CHECK(pace.between(60s, 5min) == 60s);
    for (const Seconds expected : {120s, 240s, 300s, 300s}) {
        pace.polled(false);
        CHECK(pace.between(60s, 5min) == expected);
        CHECK(pace.between(60s, 60s) == 60s);
        CHECK(pace.between(60s, 10s) == 60s);
    }
    for (int poll = 0; poll < 100; ++poll) {
        pace.polled(false);
    }
    CHECK(pace.between(60s, 24h) == 24h);
    pace.polled(true);
    CHECK(pace.between(60s, 24h) == 60s);
}

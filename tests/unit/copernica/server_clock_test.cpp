#include "core/copernica/server_clock.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

#include <doctest/doctest.h>

#include "core/copernica/machine_clock.hpp"
#include "tests/support/times.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::tests;
using namespace std::chrono_literals;

TEST_CASE("one Date in ten that is an hour fast moves nothing") {
    const Instant start = utc("2026-06-01 10:00:00");
    ServerClock clock(start, Monotonic());
    CHECK_FALSE(clock.accepted());
    for (int i = 0; i < 100; ++i) {
        const Monotonic now(std::chrono::seconds(i * 7));
        const Instant truth = start + Seconds(i * 7);
        const Instant date = i % 10 == 3 ? truth + 1h : truth;
        clock.observe(date, now);
        CHECK(clock.now(now) == truth);
        CHECK(clock.valid_until(date, now) == truth);
    }
    CHECK(clock.accepted());
}

TEST_CASE("three unexpected Dates in a row that agree are accepted, others are not") {
    const Instant start = utc("2026-06-01 10:00:00");
    for (const Seconds error : {Seconds(3600), Seconds(-3600), Seconds(61), Seconds(-61)}) {
        ServerClock clock(start + error, Monotonic());
        clock.observe(start, Monotonic(0s));
        clock.observe(std::nullopt, Monotonic(1s));
        clock.observe(start + 2s, Monotonic(2s));
        CHECK_FALSE(clock.accepted());
        CHECK(clock.now(Monotonic(2s)) == start + error + 2s);
        CHECK(clock.valid_until(start + 2s, Monotonic(2s)) ==
              std::min(start + 2s, start + error + 2s));
        CHECK_FALSE(clock.valid_until(std::nullopt, Monotonic(2s)));
        clock.observe(start + 3s, Monotonic(3s));
        CHECK(clock.accepted());
        CHECK(clock.now(Monotonic(3s)) == start + 3s);
    }
    ServerClock at_once(start + 60s, Monotonic());
    at_once.observe(start, Monotonic());
    CHECK(at_once.accepted());

    ServerClock clock(start, Monotonic());
    for (int i = 0; i < 50; ++i) {  // each far from the one before
        clock.observe(start + std::chrono::hours(i % 2 == 0 ? 1 : 3), Monotonic());
    }
    CHECK_FALSE(clock.accepted());
    clock.observe(start + 1h, Monotonic());
    clock.observe(start + 1h, Monotonic());
    clock.observe(start, Monotonic());  // what was expected ends the verification
    clock.observe(start + 1h, Monotonic());
    CHECK(clock.now(Monotonic()) == start);
}

TEST_CASE("a Date that is not expected leaves the clock in doubt, until the next ones agree") {
    const Instant start = utc("2026-06-01 10:00:00");
    ServerClock clock(start, Monotonic());
    clock.observe(start, Monotonic());
    CHECK_FALSE(clock.in_doubt());
    clock.observe(start + 1h, Monotonic());
    CHECK(clock.in_doubt());
    clock.observe(start, Monotonic());
    CHECK_FALSE(clock.in_doubt());
    for (int reply = 1; reply <= ServerClock::agreement; ++reply) {
        clock.observe(start + 1h, Monotonic());
        CHECK(clock.in_doubt() == (reply < ServerClock::agreement));
    }
}

TEST_CASE("this machine's clock is off if the API's would not be believed at once") {
    for (const Seconds near : {Seconds(0), Seconds(60), Seconds(-60)}) {
        CHECK_FALSE(why_machine_clock_is_off(near));
    }
    CHECK(why_machine_clock_is_off(Seconds(61)) ==
          "this machine's clock is 61 s ahead of the API's");
    CHECK(why_machine_clock_is_off(Seconds(-7200)) ==
          "this machine's clock is 2 h behind the API's");
}

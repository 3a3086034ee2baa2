#include "core/copernica/outage.hpp"

#include <doctest/doctest.h>

using namespace mirror;
using namespace mirror::copernica;
using namespace std::chrono_literals;

TEST_CASE("outage: one line when it starts, a rare reminder, one line when it ends") {
    OutageLog log;
    const Monotonic start{};
    CHECK_FALSE(log.failed("refused", start).has_value());
    CHECK_FALSE(log.failed("refused", start + 1s).has_value());
    CHECK_FALSE(log.reason().has_value());
    CHECK(log.failed("refused", start + 3s) ==
          "the API does not answer: refused; trying again with growing pauses");
    CHECK(log.reason() == "refused");
    CHECK_FALSE(log.failed("timed out", start + 30min).has_value());
    CHECK(log.failed("timed out", start + 61min) ==
          "the API has not answered for 61 min, 5 attempts: timed out");
    CHECK_FALSE(log.failed("timed out", start + 62min).has_value());
    CHECK(log.succeeded(start + 150min) ==
          "the API answers again, after 2 h 30 min and 6 failed attempts");
    CHECK_FALSE(log.succeeded(start + 151min).has_value());
    CHECK_FALSE(log.reason().has_value());
}

TEST_CASE("outage: single failures are none") {
    OutageLog log;
    const Monotonic start{};
    for (int i = 0; i < 10; ++i) {
        CHECK_FALSE(log.failed("reset", start + i * 10s).has_value());
        CHECK_FALSE(log.failed("reset", start + i * 10s + 1s).has_value());
        CHECK_FALSE(log.succeeded(start + i * 10s + 2s).has_value());
    }
}

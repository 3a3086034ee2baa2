#include "core/copernica/backoff.hpp"

#include <chrono>
#include <limits>

#include <doctest/doctest.h>

using namespace mirror;
using namespace mirror::copernica;
using namespace std::chrono_literals;

TEST_CASE("backoff doubles up to five minutes") {
    CHECK(Backoff::ceiling(0) == 1s);
    CHECK(Backoff::ceiling(1) == 1s);
    CHECK(Backoff::ceiling(2) == 2s);
    CHECK(Backoff::ceiling(9) == 256s);
    CHECK(Backoff::ceiling(10) == 5min);
    CHECK(Backoff::ceiling(11) == 5min);
    CHECK(Backoff::ceiling(std::numeric_limits<unsigned>::max()) == 5min);
}

TEST_CASE("a wait is a share of the ceiling") {
    struct Line {
        unsigned failures;
        double jitter;
        std::chrono::milliseconds wait;
    };
    const Line lines[] = {
        {1, 0.0, 0ms}, {1, 0.5, 500ms}, {4, 0.25, 2s}, {10, 0.5, 150s}, {99, 0.999999, 299'999ms},
    };
    for (const Line& line : lines) {
        CAPTURE(line.failures);
        CHECK(Backoff::wait(line.failures, line.jitter) == line.wait);
    }
}

TEST_CASE("a Retry-After is obeyed for an hour at most") {
    CHECK(Backoff::asked(0s) == 0s);
    CHECK(Backoff::asked(7s) == 7s);
    CHECK(Backoff::asked(3600s) == 3600s);
    CHECK(Backoff::asked(3601s) == 3600s);
    CHECK(Backoff::asked(std::chrono::seconds::max()) == 3600s);
    CHECK(Backoff::asked(-5s) == 0s);
    CHECK(Backoff::asked(std::chrono::seconds::min()) == 0s);
}

#include "core/copernica/backoff.hpp"

#include <chrono>
#include <limits>
#include <optional>

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

TEST_CASE("a wait is a share of the ceiling, and what the server asks for at the least") {
    struct Line {
        unsigned failures;
        double jitter;
        std::optional<std::chrono::seconds> retry_after;
        std::chrono::milliseconds wait;
    };
    const Line lines[] = {
        {1, 0.0, std::nullopt, 0ms}, {1, 0.5, std::nullopt, 500ms},
        {4, 0.25, std::nullopt, 2s}, {99, 0.999999, std::nullopt, 299'999ms},
        {1, 0.5, 0s, 500ms},         {1, 0.5, 7s, 7s},
        {10, 0.5, 7s, 150s},         {1, 0.5, 3600s, 3600s},
        {1, 0.5, 3601s, 3600s},      {1, 0.5, std::chrono::seconds::max(), 3600s},
        {1, 0.5, -5s, 500ms},        {1, 0.0, std::chrono::seconds::min(), 0ms},
    };
    for (const Line& line : lines) {
        CAPTURE(line.failures);
        CHECK(Backoff::wait(line.failures, line.jitter, line.retry_after) == line.wait);
    }
}

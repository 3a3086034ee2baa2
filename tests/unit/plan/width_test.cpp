#include "core/plan/width.hpp"

#include <cstdint>
#include <limits>

#include <doctest/doctest.h>

using namespace mirror;
using namespace mirror::plan;
using namespace std::chrono_literals;

TEST_CASE("the width grows eightfold at the most and ten empty years cost few windows") {
    WidthPlanner planner(10'000);
    CHECK(planner.next() == WidthPlanner::first_width);
    int windows = 0;
    for (Seconds read{0}; read < std::chrono::years(10); ++windows) {
        const Seconds width = planner.next();
        read += width;
        planner.observe(width, 0);
        CHECK(planner.next() <= width * 8);
    }
    CHECK(windows <= 7);
}

TEST_CASE("the width follows the rows") {
    struct Line {
        Seconds width;
        std::uint64_t rows;
        Seconds next;
    };
    const Line lines[] = {
        {1h, 10'000, 1h},
        {1h, 20'000, 30min},
        {1h, 5'000, 2h},
        {1h, 1, 8h},
        {1h, 0, 8h},
        {1s, 1'000'000, 1s},
        {0s, 0, 1h},
        {1s, 0, 1h},
        {1h, std::numeric_limits<std::uint64_t>::max(), 1s},
        {Seconds(std::int64_t{200} * 365 * 24 * 3600), 0,
         Seconds(std::int64_t{200} * 365 * 24 * 3600)},
    };
    for (const Line& line : lines) {
        WidthPlanner planner(10'000);
        planner.observe(line.width, line.rows);
        CAPTURE(line.rows);
        CHECK(planner.next() == line.next);
    }
}

TEST_CASE("the first window is a thousandth of a long period, and an hour of a short one") {
    WidthPlanner planner(10'000);
    planner.expect_period(24h);
    CHECK(planner.next() == 1h);
    planner.expect_period(24h * 365);
    CHECK(planner.next() == Seconds(24h * 365) / 1000);
    planner.observe(1h, 10'000);
    planner.expect_period(24h * 365 * 10);
    CHECK(planner.next() == 1h);
}

TEST_CASE("several windows at a time wait for one only where little is expected") {
    struct Line {
        Seconds width;
        std::uint64_t rows;
        bool exploring;
    };
    const Line lines[] = {
        {1h, 0, true},         // nothing
        {1h, 300, true},       // eight times as wide: 2,400 of 10,000
        {1h, 400, false},      // eight times as wide: 3,200, several pages
        {1h, 10'000, false},   // as wanted
        {10s, 20'000, false},  // narrow and full
        {1min, 0, false},      // a remnant of what was wider says nothing
    };
    for (const Line& line : lines) {
        CAPTURE(line.rows);
        WidthPlanner planner(10'000);
        CHECK(planner.exploring());
        planner.observe(1h, 10'000);
        planner.observe(line.width, line.rows);
        CHECK(planner.exploring() == line.exploring);
    }
}

TEST_CASE("a refused width is stayed below, and tried again with patience") {
    WidthPlanner planner(10'000);
    planner.observe(24h, 0);
    planner.refuse(48h);
    CHECK(planner.next() == 24h);
    const auto serve_one = [&] {
        const Seconds width = planner.next();
        planner.observe(width, 0);
        planner.served(width);
    };
    for (int i = 0; i < 15; ++i) {
        serve_one();
        CHECK(planner.next() == 24h);
    }
    serve_one();
    CHECK(planner.next() == 48h);
    planner.refuse(1s);
    CHECK(planner.next() == 1s);
    planner.refuse(0s);
    CHECK(planner.next() == 1s);
}

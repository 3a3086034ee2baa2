#include "core/sync/load_rate.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

using namespace mirror;
using sync::LoadMark;
using sync::LoadRate;

namespace {

// Rows received in each of so many tenths of a second.
using Series = std::vector<std::uint64_t>;

constexpr std::chrono::milliseconds step(100);

void add(Series& series, int tenths, std::uint64_t rows) {
    series.insert(series.end(), static_cast<std::size_t>(tenths), rows);
}

std::uint64_t sum(const Series& series) {
    std::uint64_t rows = 0;
    for (const std::uint64_t more : series) {
        rows += more;
    }
    return rows;
}

// The greatest error of the time left, as a share of the truth, from the tenth second on; but for
// the last seconds, which a line that shows whole seconds cannot tell better.
double worst_share(const Series& series) {
    constexpr double from_second = 10;
    constexpr double least_left = 3;
    const double end = static_cast<double>(series.size()) / 10;
    const std::uint64_t all = sum(series);
    LoadRate rate;
    LoadMark now;
    double worst = 0;
    for (const std::uint64_t rows : series) {
        now.after += step;
        now.rows += rows;
        rate.note(now);
        const double second = std::chrono::duration<double>(now.after).count();
        const LoadMark from = rate.from();
        if (second < from_second || end - second < least_left || now.rows <= from.rows) {
            continue;
        }
        const double measured = std::chrono::duration<double>(now.after - from.after).count();
        const double told = measured * static_cast<double>(all - now.rows) /
                            static_cast<double>(now.rows - from.rows);
        worst = std::max(worst, std::abs(told - (end - second)) / (end - second));
    }
    return worst;
}

// A tenth of the years: one full page a request while a mailing is read, then a search through
// quiet days.
void add_burst(Series& series, int busy, int quiet) {
    add(series, busy, 1000);
    add(series, quiet, 0);
}

}  // namespace

TEST_CASE("load rate: the time left of a steady load") {
    Series series;
    add(series, 400, 1000);
    CHECK(worst_share(series) < 0.01);
}

TEST_CASE("load rate: empty years before the first rows do not count") {
    for (const int empty : {20, 60, 95, 300}) {
        CAPTURE(empty);
        Series series;
        add(series, empty, 0);
        add(series, 400, 1000);
        CHECK(worst_share(series) < 0.2);
    }
}

TEST_CASE("load rate: a slow beginning is forgotten") {
    Series series;
    add(series, 10, 0);
    // Windows that become wider.
    for (const std::uint64_t rows : {1U, 8U, 64U, 128U, 256U, 512U}) {
        add(series, 5, rows);
    }
    add(series, 500, 1000);
    CHECK(worst_share(series) < 0.2);
}

TEST_CASE("load rate: bursts and what lies between them even out") {
    for (const int busy : {3, 8, 15}) {
        for (const int quiet : {1, 3, 5}) {
            CAPTURE(busy);
            CAPTURE(quiet);
            Series series;
            add(series, 15, 0);
            for (int burst = 0; burst < 40; ++burst) {
                add_burst(series, busy, quiet);
            }
            CHECK(worst_share(series) < 0.2);
        }
    }
}

TEST_CASE("load rate: it follows a server that becomes slower for good") {
    Series series;
    add(series, 200, 1000);
    add(series, 400, 500);
    LoadRate rate;
    LoadMark now;
    for (const std::uint64_t rows : series) {
        now.after += step;
        now.rows += rows;
        rate.note(now);
    }
    const LoadMark from = rate.from();
    const auto measured = std::chrono::duration<double>(now.after - from.after).count();
    CHECK(static_cast<double>(now.rows - from.rows) / measured ==
          doctest::Approx(5000).epsilon(0.02));
}

TEST_CASE("load rate: nothing received yet") {
    LoadRate rate;
    CHECK(rate.from().rows == 0);
    rate.note({std::chrono::seconds(5), 0});
    rate.note({std::chrono::seconds(9), 0});
    CHECK(rate.from().after == std::chrono::seconds(9));
    rate.note({std::chrono::seconds(10), 100});
    CHECK(rate.from().after == std::chrono::seconds(9));
    CHECK(rate.from().rows == 0);
}

TEST_CASE("load rate: it goes on over hours") {
    LoadRate rate;
    LoadMark now;
    for (int tenth = 0; tenth < 36'000 * 4; ++tenth) {
        now.after += step;
        now.rows += 7;
        rate.note(now);
    }
    // The middle, to a sixteenth.
    CHECK(rate.from().after <= now.after / 2);
    CHECK(rate.from().after >= now.after / 2 - now.after / 16);
}

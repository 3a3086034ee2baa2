// The cheapest way to read windows, from what replies have shown.
#include "core/plan/reading_way.hpp"

#include <cmath>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "core/plan/list_traits.hpp"

using namespace mirror;
using namespace mirror::plan;
using namespace std::chrono_literals;

TEST_CASE("way: windows are as long as offsets are cheap") {
    struct Line {
        const char* about;
        ListFacts facts;
        unsigned requests_per_second;
        std::uint64_t rows;
    };
    constexpr unsigned fast = 100'000;
    const Line lines[] = {
        {"nothing known", {}, 10, 16'000},
        {"in the order of time", {0, 0.05, 0}, fast, 16'000},
        {"in the order of time, dear offsets", {0, 0.05, 20e-6}, fast, 8'000},
        {"0.3 % late, offsets cost nothing", {0.003, 0.05, 0}, fast, 16'000},
        {"0.3 % late, no latency", {0.003, 0.001, 0}, fast, 16'000},
        {"0.3 % late, offsets cost a little", {0.003, 0.05, 1e-6}, fast, 16'000},
        {"0.3 % late, dear offsets", {0.003, 0.05, 20e-6}, fast, 8'000},
        {"0.3 % late, very dear offsets", {0.003, 0.05, 200e-6}, fast, 875},
        {"no order, dear offsets", {0.5, 0.05, 20e-6}, fast, 8'000},
        {"no order, dear offsets, which the rate hides", {0.5, 0.05, 20e-6}, 10, 16'000},
        {"no order, offsets dearer than the rate", {0.5, 0.05, 200e-6}, 10, 3'500},
    };
    for (const Line& line : lines) {
        CAPTURE(line.about);
        ReadingLimits limits;
        limits.requests_per_second = line.requests_per_second;
        const ReadingWay way = cheapest_way(line.facts, limits);
        CHECK(way.rows == line.rows);
    }
}

TEST_CASE("way: others wait for the count of a long window, not for that of a short one") {
    ReadingLimits limits;
    limits.requests_per_second = 100'000;
    CHECK(cheapest_way({0, 0.05, 0}, limits).waits_for_count);
    CHECK_FALSE(cheapest_way({0, 0.05, 20e-6}, limits).waits_for_count);
    limits.requests_per_second = 10;  // waiting costs nothing
    CHECK(cheapest_way({0, 0.05, 200e-6}, limits).waits_for_count);
}

TEST_CASE("way: a window's end moves if the list runs with time") {
    CHECK(cheapest_way({}, {}).ends_move);
    CHECK(cheapest_way({0.1, 0.05, 0}, {}).ends_move);
    CHECK_FALSE(cheapest_way({0.11, 0.05, 0}, {}).ends_move);
}

TEST_CASE("way: a connection can wait for another one if the rate lets it wait anyway") {
    ReadingLimits limits;
    limits.connections = 4;
    limits.requests_per_second = 10;
    CHECK(cheapest_way({0, 0.3, 0}, limits).can_wait);
    CHECK_FALSE(cheapest_way({0, 0.31, 0}, limits).can_wait);
    CHECK_FALSE(cheapest_way({0, 0, 0}, limits).can_wait);  // nothing is known
    limits.connections = 1;
    CHECK_FALSE(cheapest_way({0, 0.01, 0}, limits).can_wait);
}

TEST_CASE("way: a page of one record, and windows of one page") {
    ReadingLimits limits;
    limits.page_size = 1;
    limits.most_pages = 1;
    CHECK(cheapest_way({1, 1, 1}, limits).rows == 1);
    limits.requests_per_second = 0;
}

namespace {

std::vector<Row> rows_at(const std::vector<int>& seconds) {
    std::vector<Row> rows;
    for (const int second : seconds) {
        rows.emplace_back().time = LocalTime(Seconds(second));
    }
    return rows;
}

double disorder_of(const std::vector<int>& seconds) {
    ListTraits traits;
    traits.observe_rows(rows_at(seconds));
    return traits.facts().disorder;
}

}  // namespace

TEST_CASE("list: how many rows are out of the order of time") {
    CHECK(disorder_of({}) == 0);
    CHECK(disorder_of({5}) == 0);
    CHECK(disorder_of({5, 5, 5}) == 0);
    CHECK(disorder_of({1, 2, 2, 3}) == 0);
    CHECK(disorder_of({9, 7, 7, 1}) == 0);
    CHECK(disorder_of({1, 5, 2, 6}) == doctest::Approx(0.25));
    CHECK(disorder_of({6, 2, 5, 1}) == doctest::Approx(0.25));
    // What is seen of a short page is not forgotten over a long one.
    ListTraits traits;
    traits.observe_rows(rows_at({1, 5, 2, 6}));
    traits.observe_rows(rows_at({1, 2, 3, 4}));
    CHECK(traits.facts().disorder == doctest::Approx(0.125));
}

TEST_CASE("list: what an offset costs is believed if it stands out of the noise") {
    std::mt19937 random(3);
    std::normal_distribution<double> noise(1, 0.3);
    const auto learned = [&](double seconds_a_row) {
        ListTraits traits;
        for (int window = 0; window < 8; ++window) {
            for (std::uint64_t page = 0; page < 16; ++page) {
                const std::uint64_t start = page * 999;
                const double took =
                    0.05 * noise(random) + static_cast<double>(start) * seconds_a_row;
                traits.observe_request(
                    start, std::chrono::nanoseconds(static_cast<std::int64_t>(took * 1e9)));
            }
        }
        return traits.facts();
    };
    CHECK(learned(0).skip_seconds == 0);
    CHECK(learned(20e-6).skip_seconds == doctest::Approx(20e-6).epsilon(0.2));
    CHECK(learned(20e-6).request_seconds == doctest::Approx(0.05).epsilon(0.2));
    // Faster replies to deep offsets are not a cost.
    CHECK(learned(-1e-6).skip_seconds == 0);
    ListTraits few;
    few.observe_request(5000, 10s);  // before any request without an offset
    few.observe_request(0, 50ms);
    few.observe_request(499, 10s);  // too small an offset
    for (int i = 0; i < 7; ++i) {
        few.observe_request(1000, 70ms);
    }
    CHECK(few.facts().skip_seconds == 0);
    few.observe_request(1000, 70ms);
    CHECK(few.facts().skip_seconds == doctest::Approx(20e-6));
}

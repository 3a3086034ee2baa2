#include "core/plan/sweep.hpp"

#include <algorithm>

#include <doctest/doctest.h>

using namespace mirror;
using namespace mirror::plan;
using namespace std::chrono_literals;

namespace {

constexpr Instant start = std::chrono::sys_days{std::chrono::year(2026) / 11 / 1};
constexpr Seconds period = 90 * 24h;

Window last_ten_years(Instant now) {
    return {start - 24h * 3650, now - 24h * 7};
}

}  // namespace

TEST_CASE("sweep: it begins with the first look, and takes a step a day") {
    const auto first = next_sweep(std::nullopt, last_ten_years(start), start, period);
    REQUIRE(first);
    CHECK(first->window.empty());
    CHECK(first->after == SweepState{start, start - 24h * 3650, start});
    CHECK_FALSE(next_sweep(first->after, last_ten_years(start), start + 23h, period));
    const auto second = next_sweep(first->after, last_ten_years(start + 24h), start + 24h, period);
    REQUIRE(second);
    CHECK(second->window.begin == start - 24h * 3650);
    // A ninetieth of all.
    CHECK(second->window.width() > 24h * 40);
    CHECK(second->window.width() < 24h * 41);
    CHECK(second->after == SweepState{start, second->window.end, start + 24h});
}

TEST_CASE("sweep: everything is read at least once in each period, in steps of one size") {
    std::optional<SweepState> state;
    Instant now = start;
    Instant read_to = start - 24h * 3650;
    int cycles = 0;
    Seconds widest{0};
    for (int day = 0; day < 365; ++day, now += 24h) {
        const auto step = next_sweep(state, last_ten_years(now), now, period);
        if (!step) {
            continue;
        }
        if (!step->window.empty()) {
            REQUIRE(step->window.begin == read_to);
            read_to = step->window.end;
            widest = std::max(widest, step->window.width());
        }
        if (state && step->after.began != state->began) {
            CHECK(step->after.began - state->began <= period + 48h);
            CHECK(read_to == last_ten_years(state->began + period).end);
            read_to = step->after.position;
            ++cycles;
        }
        state = step->after;
    }
    CHECK(cycles == 4);
    // At the end ten years and eleven months, in ninety steps; what has become old meanwhile comes
    // on top in the last ones.
    CHECK(widest < 24h * 50);
}

TEST_CASE("sweep: after a pause it catches up, and at the end of the period reads the rest") {
    const SweepState state{start, start - 24h * 3650, start};
    const auto late = next_sweep(state, last_ten_years(start + 45 * 24h), start + 45 * 24h, period);
    REQUIRE(late);
    CHECK(late->window.width() > 24h * 1800);
    CHECK(late->window.width() < 24h * 1870);
    const Instant too_late = start + 200 * 24h;
    const auto rest = next_sweep(state, last_ten_years(too_late), too_late, period);
    REQUIRE(rest);
    CHECK(rest->window == last_ten_years(too_late));
    CHECK(rest->after == SweepState{too_late, start - 24h * 3650, too_late});
}

TEST_CASE("sweep: what the API does not show any more is left out") {
    const SweepState state{start, start - 24h * 3650, start};
    const Window month{start - 24h * 30, start - 24h * 6};
    const auto step = next_sweep(state, month, start + 24h, period);
    REQUIRE(step);
    CHECK(step->window.begin == month.begin);
}

TEST_CASE("sweep: a short period has its steps, too") {
    const Window all{start - 24h * 10, start};
    const SweepState state{start, all.begin, start};
    CHECK_FALSE(next_sweep(state, all, start + 2h, 24h));
    CHECK(next_sweep(state, all, start + 3h, 24h).has_value());
}

TEST_CASE("sweep: a state from a clock that was ahead does not stop it") {
    const SweepState state{start + 24h * 365, start - 24h * 3000, start + 24h * 365};
    const auto step = next_sweep(state, last_ten_years(start), start, period);
    REQUIRE(step);
    CHECK(step->after == SweepState{start, start - 24h * 3650, start});
}

#include "core/plan/load_estimate.hpp"

#include <doctest/doctest.h>

using namespace mirror;
using namespace mirror::plan;

TEST_CASE("estimate: what a load of so many rows takes") {
    const LoadSettings settings;
    const LoadEstimate million = estimate_load(1'000'000, settings);
    CHECK(million.requests == 1086);
    CHECK(million.at_the_rate == Seconds(109));
    CHECK(million.bytes == 119'000'000);
    CHECK(million.days == 1);
    CHECK(estimate_load(0, settings).requests == 10);
    CHECK(estimate_load(1, settings).requests == 11);
    // No product overflows.
    CHECK(estimate_load(UINT64_MAX / 1000, settings).requests > UINT64_MAX / 1'000'000);
}

TEST_CASE("estimate: small pages, a slow rate, a budget, more indexes") {
    LoadSettings settings;
    settings.page_size = 100;
    settings.requests_per_second = 1;
    settings.requests_per_day = 500;
    settings.indexes = 3;
    const LoadEstimate estimate = estimate_load(930'000, settings);
    CHECK(estimate.requests == 10'010);
    CHECK(estimate.at_the_rate == Seconds(10'010));
    CHECK(estimate.bytes == 930'000 * 143);
    CHECK(estimate.days == 21);
}

TEST_CASE("estimate: several loads share the rate and the budget") {
    LoadSettings settings;
    settings.requests_per_day = 500;
    const LoadEstimate loads[] = {estimate_load(930'000, settings),
                                  estimate_load(93'000, settings)};
    const LoadEstimate sum = sum_of(loads, settings);
    CHECK(sum.rows == 1'023'000);
    CHECK(sum.requests == 1010 + 110);
    CHECK(sum.at_the_rate == Seconds(112));
    CHECK(sum.bytes == 1'023'000 * 119);
    CHECK(sum.days == 3);
    CHECK(sum_of({}, settings).rows == 0);
}

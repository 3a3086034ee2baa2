#include "core/plan/emptiness.hpp"

#include <chrono>

#include <doctest/doctest.h>

#include "tests/support/times.hpp"

using namespace mirror;
using namespace mirror::plan;
using namespace mirror::tests;
using namespace std::chrono_literals;

TEST_CASE("emptiness is believed as far as it is known") {
    EmptinessLedger ledger;
    const Instant start = utc("2026-06-01 10:00:00");
    const Window hour{start, start + 1h};
    const Window longer{start, start + 1h + 1s};
    CHECK(ledger.replies_needed(hour, false) == 1);
    CHECK(ledger.replies_needed(longer, false) == 2);
    CHECK(ledger.replies_needed(hour, true) == 3);
    ledger.taken_for_empty(longer);
    CHECK(ledger.replies_needed(longer, false) == 2);
    ledger.rows_seen(longer);
    ledger.rows_seen({start, start + 1s});
    CHECK(ledger.replies_needed(longer, false) == 1);
    CHECK(ledger.replies_needed(longer, true) == 3);
    ledger.taken_for_empty(hour);
    CHECK(ledger.take_unverified() == WindowSet(longer));
    CHECK(ledger.take_unverified().empty());
}

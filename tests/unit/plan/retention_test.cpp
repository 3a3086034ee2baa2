#include "core/plan/retention.hpp"

#include <doctest/doctest.h>

#include "core/time/text.hpp"

using namespace mirror;

namespace {

const Zone& zone() {
    static const Zone amsterdam("Europe/Amsterdam");
    return amsterdam;
}

Instant at(const char* local) {
    return zone().earliest(*parse_local(local));
}

constexpr Seconds day{86400};

}  // namespace

TEST_CASE("retention: whole local days are kept, and one more in part") {
    CHECK(plan::kept_from(zone(), at("2026-11-23 16:00:00"), 10 * day) ==
          at("2026-11-13 00:00:00"));
    CHECK(plan::kept_from(zone(), at("2026-11-23 00:00:00"), 10 * day) ==
          at("2026-11-13 00:00:00"));
    CHECK(plan::kept_from(zone(), at("2026-11-22 23:59:59"), 10 * day) ==
          at("2026-11-12 00:00:00"));
    // Clocks went back on 25 October.
    CHECK(plan::kept_from(zone(), at("2026-10-26 12:00:00"), 2 * day) == at("2026-10-24 00:00:00"));
}

#include "core/plan/id_index.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <utility>

#include <doctest/doctest.h>

#include "tests/support/times.hpp"

using namespace mirror;
using namespace mirror::plan;
using mirror::tests::local;

TEST_CASE("a table of places holds each ID and time once, where it was put last") {
    IdIndex table;
    std::map<std::pair<std::int64_t, std::int64_t>, IdIndex::Place> expected;
    std::map<std::int64_t, int> times;
    std::mt19937_64 random(11);
    const LocalTime begin = local("2026-06-01 12:00:00");
    for (std::uint32_t i = 0; i < 20'000; ++i) {
        // In a row, far apart, and again; some of them with another time.
        const std::int64_t id =
            i % 3 == 0 ? 1 + static_cast<std::int64_t>(i)
                       : 1 + static_cast<std::int64_t>(random() % 5'000) * (INT64_MAX / 5'000);
        const std::int64_t second = random() % 10 == 0 ? 7 : 0;
        const IdIndex::Place place{i, i % 7 == 0};
        const IdIndex::Known known = table.put(id, begin + Seconds(second), place);
        const auto [held, is_new] = expected.try_emplace({id, second}, place);
        REQUIRE(known.before.has_value() != is_new);
        if (is_new) {
            REQUIRE(known.shares_id == (times[id]++ > 0));
        } else {
            REQUIRE(*known.before == held->second);
            held->second = place;
        }
        REQUIRE(table.size() == expected.size());
    }
    table.clear();
    CHECK(table.size() == 0);
    CHECK_FALSE(table.put(INT64_MAX, std::nullopt, {}).before.has_value());
}

#include "core/plan/gap_join.hpp"

#include <vector>

#include <doctest/doctest.h>

using namespace mirror;
using namespace mirror::plan;

namespace {

Window from_to(std::int64_t begin, std::int64_t end) {
    return {Instant(Seconds(begin)), Instant(Seconds(end))};
}

}  // namespace

TEST_CASE("gaps with little between them are joined, others stay") {
    WindowSet gaps;
    for (const std::int64_t second : {0, 10, 20, 1000, 1010}) {
        gaps.add(from_to(second, second + 1));
    }
    WindowSet joined(from_to(0, 21));
    joined.add(from_to(1000, 1011));
    CHECK(join_gaps(gaps, {true, true, false, true}) == joined);
    CHECK(join_gaps(gaps, {false, false, false, false}) == gaps);
    CHECK(join_gaps(gaps, {true, true, true, true}) == WindowSet(from_to(0, 1011)));
    CHECK(join_gaps({}, {}).empty());
    CHECK(join_gaps(WindowSet(from_to(3, 4)), {}) == WindowSet(from_to(3, 4)));
}

TEST_CASE("few gaps are read one by one") {
    WindowSet gaps;
    for (std::int64_t gap = 0; gap < 16; ++gap) {
        gaps.add(from_to(gap * 10, gap * 10 + 1));
    }
    CHECK_FALSE(worth_joining(gaps));
    gaps.add(from_to(500, 501));
    CHECK(worth_joining(gaps));
}

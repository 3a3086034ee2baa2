#include "core/plan/gap_join.hpp"

#include <doctest/doctest.h>

using namespace mirror;
using namespace mirror::plan;

namespace {

Window from_to(std::int64_t begin, std::int64_t end) {
    return {Instant(Seconds(begin)), Instant(Seconds(end))};
}

}  // namespace

TEST_CASE("few gaps are read one by one, and between many there is something to look at") {
    CHECK(between_many({}).empty());
    WindowSet gaps;
    WindowSet between;
    for (std::int64_t gap = 0; gap < 16; ++gap) {
        gaps.add(from_to(gap * 10, gap * 10 + 1));
        between.add(from_to(gap * 10 + 1, (gap + 1) * 10));
    }
    CHECK(between_many(gaps).empty());
    gaps.add(from_to(160, 170));
    CHECK(between_many(gaps) == between);
}

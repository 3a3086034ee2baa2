#include "core/plan/count_curve.hpp"

#include <doctest/doctest.h>

using namespace mirror;
using namespace mirror::plan;

namespace {

Instant at(std::int64_t seconds) {
    return Instant(Seconds(seconds));
}

Window window(std::int64_t begin, std::int64_t end) {
    return {at(begin), at(end)};
}

}  // namespace

TEST_CASE("curve: between two counts, records lie evenly") {
    CountCurve curve(at(0));
    curve.counted(window(0, 1000), 2000);
    CHECK(curve.end_for(1500, 1000, at(100)) == at(550));
    // The nearer count says more.
    curve.counted(window(0, 550), 1800);
    CHECK(curve.end_for(1500, 1000, at(100)) == at(381));
    CHECK(curve.end_for(1900, 1000, at(100)) == at(775));
    SUBCASE("also where nothing lies") {
        curve.counted(window(0, 800), 1800);
        CHECK(curve.end_for(1900, 1000, at(100)) == at(900));
        curve.counted(window(0, 300), 1000);
        CHECK(curve.end_for(1400, 1000, at(100)) == at(425));
    }
    SUBCASE("and at least a second later") {
        CHECK(curve.end_for(1001, 1000, at(100)) == at(101));
    }
}

TEST_CASE("curve: behind the last count, the faster one of two rates is taken") {
    CountCurve curve(at(0));
    curve.counted(window(0, 1000), 2000);
    // Two a second in all of it, and slower at last.
    CHECK(curve.end_for(2500, 1900, at(500)) == at(1250));
    // Faster at last.
    CHECK(curve.end_for(2500, 1000, at(800)) == at(1100));
    // As far as eight times what was counted.
    CHECK(curve.end_for(1'000'000, 1000, at(800)) == at(8000));
    CHECK(CountCurve(at(0)).end_for(10, 1, at(100)) == at(800));
}

TEST_CASE("curve: what contradicts a newer count is forgotten") {
    CountCurve curve(at(0));
    curve.counted(window(0, 1000), 2000);
    curve.counted(window(0, 500), 3000);
    CHECK(curve.end_of(at(0), 3000) == at(500));
    CHECK_FALSE(curve.end_of(at(0), 3001));
    curve.counted(window(0, 800), 1000);
    CHECK(curve.end_of(at(0), 1000) == at(800));
    CHECK_FALSE(curve.end_of(at(0), 1001));
}

TEST_CASE("curve: windows that follow each other add up") {
    CountCurve curve(at(0));
    curve.counted(window(0, 1000), 10'000);
    curve.counted(window(0, 100), 0);
    // 10,000 lie between 100 and 1,000.
    CHECK(curve.end_of(at(100), 1000) == at(190));
    curve.counted(window(100, 190), 4000);
    CHECK(curve.end_of(at(190), 3000) == at(595));
    CHECK_FALSE(curve.end_of(at(190), 6001));
    // From the middle of what was counted.
    CHECK(curve.end_of(at(145), 1000) == at(167));
    curve.counted(window(145, 500), 3500);
    CHECK(curve.end_of(at(145), 3500) == at(500));
    // What begins before is another matter.
    CHECK_FALSE(curve.end_of(at(-1), 1));
    curve.counted(window(-10, 1000), 5);
    CHECK(curve.end_of(at(145), 3500) == at(500));
    // Behind a gap, nothing is known of what was before.
    curve.counted(window(2000, 3000), 1000);
    CHECK(curve.end_of(at(2000), 500) == at(2500));
    CHECK_FALSE(curve.end_of(at(145), 10));
}

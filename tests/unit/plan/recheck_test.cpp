#include "core/plan/recheck.hpp"

#include <doctest/doctest.h>

using namespace mirror;
using namespace mirror::plan;

namespace {

Instant at(int seconds) {
    return Instant(Seconds(seconds));
}

Window w(int begin, int end) {
    return {at(begin), at(end)};
}

constexpr Seconds age(100);

WindowSet due(const WindowSet& covered, const WindowSet& at_age, int since, int now) {
    return due_at_age(covered, at_age, at(since), at(now), age);
}

}  // namespace

TEST_CASE("ages: a read covers at an age what was that old when it was read") {
    CHECK(covered_at_age(w(0, 50), at(200), age) == w(0, 50));
    CHECK(covered_at_age(w(0, 50), at(150), age) == w(0, 50));
    CHECK(covered_at_age(w(0, 50), at(149), age) == w(0, 49));
    CHECK(covered_at_age(w(0, 50), at(100), age).empty());
    CHECK(covered_at_age(w(0, 50), at(20), age).empty());
}

TEST_CASE("ages: what is covered becomes due for a recheck, in batches of a quarter") {
    const WindowSet covered(w(0, 1000));
    const WindowSet at_age(w(0, 900));
    CHECK(due(covered, at_age, 1000, 1024).empty());
    CHECK(due(covered, at_age, 1000, 1025).windows() == std::vector{w(900, 925)});
    CHECK(due(covered, at_age, 1000, 2000).windows() == std::vector{w(900, 1000)});
}

TEST_CASE("ages: a sliver that was passed over is due as well when it has waited") {
    const WindowSet covered(w(0, 1000));
    WindowSet at_age(w(0, 900));
    at_age.add(w(901, 1000));
    CHECK(due(covered, at_age, 1000, 1024).empty());
    CHECK(due(covered, at_age, 1000, 1025).windows() == std::vector{w(900, 901)});
}

TEST_CASE("ages: gaps are not read again, nor is history from before the mirror") {
    WindowSet covered(w(0, 400));
    covered.add(w(500, 1000));
    CHECK(due(covered, WindowSet{}, 550, 2000).windows() == std::vector{w(500, 1000)});
    CHECK(due(covered, WindowSet{}, 450, 2000).windows() == std::vector{w(350, 400), w(500, 1000)});
    CHECK(due(WindowSet{}, WindowSet{}, 0, 2000).empty());
}

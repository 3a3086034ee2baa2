#include "core/time/window.hpp"

#include <random>
#include <vector>

#include <doctest/doctest.h>

using namespace mirror;

namespace {

Window w(int begin, int end) {
    return {Instant(Seconds(begin)), Instant(Seconds(end))};
}

}  // namespace

TEST_CASE("a set of windows merges what overlaps or touches") {
    WindowSet set;
    set.add(w(10, 20));
    set.add(w(30, 40));
    CHECK(set.windows() == std::vector{w(10, 20), w(30, 40)});
    set.add(w(20, 30));
    CHECK(set.windows() == std::vector{w(10, 40)});
    set.add(w(5, 5));
    set.add(w(7, 6));
    CHECK(set.windows() == std::vector{w(10, 40)});
}

TEST_CASE("a set of windows subtracts from the middle, the ends and nothing") {
    WindowSet set(w(10, 40));
    set.subtract(w(20, 30));
    CHECK(set.windows() == std::vector{w(10, 20), w(30, 40)});
    set.subtract(w(0, 12));
    set.subtract(w(39, 99));
    set.subtract(w(25, 25));
    CHECK(set.windows() == std::vector{w(12, 20), w(30, 39)});
    CHECK(set.width() == Seconds(17));
    CHECK(set.contains(w(12, 20)));
    CHECK_FALSE(set.contains(w(12, 21)));
    CHECK(set.within(w(15, 35)).windows() == std::vector{w(15, 20), w(30, 35)});
}

TEST_CASE("a set of windows agrees with a row of booleans") {
    std::mt19937 random(20261123);
    for (int round = 0; round < 300; ++round) {
        WindowSet set;
        std::vector<bool> seconds(60, false);
        for (int step = 0; step < 40; ++step) {
            const int begin = static_cast<int>(random() % 60);
            const int end = static_cast<int>(random() % 61);
            const bool add = random() % 2 == 0;
            if (add) {
                set.add(w(begin, end));
            } else {
                set.subtract(w(begin, end));
            }
            for (int at = begin; at < end; ++at) {
                seconds[static_cast<std::size_t>(at)] = add;
            }
        }
        std::vector<Window> expected;
        for (int at = 0; at < 60; ++at) {
            if (!seconds[static_cast<std::size_t>(at)]) {
                continue;
            }
            if (!expected.empty() && expected.back().end == Instant(Seconds(at))) {
                expected.back().end += Seconds(1);
            } else {
                expected.push_back(w(at, at + 1));
            }
        }
        REQUIRE(set.windows() == expected);
    }
}

TEST_CASE("operations on two sets are those on each of their windows") {
    std::mt19937 random(20261128);
    const auto any_set = [&random] {
        WindowSet set;
        for (unsigned i = random() % 8; i > 0; --i) {
            const int begin = static_cast<int>(random() % 60);
            set.add(w(begin, begin + static_cast<int>(random() % 12)));
        }
        return set;
    };
    for (int round = 0; round < 2000; ++round) {
        const WindowSet a = any_set();
        const WindowSet b = any_set();
        WindowSet sum = a;
        WindowSet rest = a;
        for (const Window& window : b.windows()) {
            sum.add(window);
            rest.subtract(window);
        }
        WindowSet at_once = a;
        at_once.add(b);
        REQUIRE(at_once == sum);
        at_once = a;
        at_once.subtract(b);
        REQUIRE(at_once == rest);
        const Window part = w(static_cast<int>(random() % 60), static_cast<int>(random() % 60));
        WindowSet inside;
        for (const Window& window : a.windows()) {
            inside.add(intersection(window, part));
        }
        REQUIRE(a.within(part) == inside);
        REQUIRE(a.contains(part) == (part.empty() || inside == WindowSet(part)));
    }
}

TEST_CASE("hundreds of thousands of windows are subtracted from as many in no time") {
    WindowSet many;
    WindowSet between;
    constexpr int windows = 300'000;
    for (int i = 0; i < windows; ++i) {
        many.add(w(i * 10, i * 10 + 5));
        between.add(w(i * 10 + 2, i * 10 + 3));
    }
    many.subtract(between);
    CHECK(many.windows().size() == 2 * windows);
    many.add(between);
    CHECK(many.windows().size() == windows);
}

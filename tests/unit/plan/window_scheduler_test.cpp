#include "core/plan/window_scheduler.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/plan/width.hpp"
#include "tests/support/times.hpp"

using namespace mirror;
using namespace mirror::plan;
using namespace mirror::tests;
using namespace std::chrono_literals;

namespace {

struct Work {
    explicit Work(const WindowSet& todo, const std::string& zone_name = "Europe/Amsterdam",
                  Direction direction = Direction::newest_first)
        : zone(zone_name), list(zone, todo, planner, direction) {}
    Zone zone;
    WidthPlanner planner{10'000};
    WindowScheduler list;
};

Window window(const char* begin, const char* end) {
    return {utc(begin), utc(end)};
}

}  // namespace

TEST_CASE("windows come in one direction, disjoint, and together are what was to be done") {
    std::mt19937 random(7);
    for (int round = 0; round < 60; ++round) {
        const bool newest_first = round % 2 == 0;
        CAPTURE(newest_first);
        WindowSet todo;
        Instant at = utc("2026-10-20 00:00:00");
        for (int i = 0; i < 5; ++i) {
            at += Seconds(1 + random() % 200'000);
            const Instant end = at + Seconds(1 + random() % 100'000);
            todo.add({at, end});
            at = end;
        }
        Work work(todo, "Europe/Amsterdam",
                  newest_first ? Direction::newest_first : Direction::oldest_first);
        WindowSet taken;
        Instant before = newest_first ? Instant::max() : Instant::min();
        while (const auto piece = work.list.take()) {
            REQUIRE_FALSE(piece->window.empty());
            if (newest_first) {
                REQUIRE(piece->window.end <= before);
                before = piece->window.begin;
            } else {
                REQUIRE(piece->window.begin >= before);
                before = piece->window.end;
            }
            CHECK(work.zone.align_down(piece->window.begin) == piece->window.begin);
            CHECK(work.zone.align_up(piece->window.end) == piece->window.end);
            taken.add(piece->window);
            work.list.counted(*piece, random() % 40'000);
            work.list.done(*piece);
        }
        CHECK(work.list.empty());
        for (const Window& wanted : todo.windows()) {
            CHECK(taken.contains(wanted));
        }
        taken.subtract(todo);
        // Only the hour that comes twice makes windows wider.
        taken.subtract(window("2026-10-25 00:00:00", "2026-10-25 02:00:00"));
        CHECK(taken.empty());
    }
}

TEST_CASE("where little is expected, nothing is taken until what is in work was counted") {
    Work work(WindowSet(window("2026-06-01 00:00:00", "2026-06-05 00:00:00")));
    const auto first = work.list.take();
    REQUIRE(first);
    CHECK_FALSE(work.list.take({1, 1}));
    work.list.counted(*first, 10'000);
    CHECK(work.list.take({1, 1}));
}

TEST_CASE("oldest first, what follows a piece waits for its count") {
    Work work(WindowSet(window("2026-06-01 00:00:00", "2026-06-05 00:00:00")), "Europe/Amsterdam",
              Direction::oldest_first);
    auto first = work.list.take();
    REQUIRE(first);
    work.list.counted(*first, 10'000);
    auto second = work.list.take({1, 0});
    REQUIRE(second);
    CHECK_FALSE(work.list.take({2, 1}));
    SUBCASE("until it is counted") {
        work.list.counted(*second, 10'000);
        CHECK(work.list.take({2, 0}));
    }
    SUBCASE("until a request for it failed") {
        work.list.delayed(*second);
        CHECK(work.list.take({2, 1}));
    }
    SUBCASE("and once more, if its end moves far") {
        work.list.counted(*second, 1'000);
        work.list.moved_end(*second, {second->window.begin, second->window.end + Seconds(9000)});
        CHECK_FALSE(work.list.take({2, 0}));
        work.list.counted(*second, 10'000);
        CHECK(work.list.take({2, 0}));
    }
    SUBCASE("or a little, if waiting costs nothing") {
        work.list.counted(*second, 10'000);
        const Window wider{second->window.begin, second->window.end + Seconds(60)};
        work.list.moved_end(*second, wider);
        auto third = work.list.take({2, 0});
        REQUIRE(third);
        ReadingWay way;
        way.can_wait = true;
        work.list.read_as(way);
        work.list.counted(*third, 10'000);
        work.list.moved_end(*third, {third->window.begin, third->window.end + Seconds(60)});
        CHECK_FALSE(work.list.take({3, 0}));
    }
    SUBCASE("but not if nothing is at work") {
        CHECK(work.list.take({0, 0}));
    }
}

TEST_CASE("oldest first, windows whose count is not worth waiting for are read side by side") {
    Work work(WindowSet(window("2026-06-01 00:00:00", "2026-06-05 00:00:00")), "Europe/Amsterdam",
              Direction::oldest_first);
    ReadingWay way;
    way.waits_for_count = false;
    work.list.read_as(way);
    const auto first = work.list.take();
    REQUIRE(first);
    work.list.counted(*first, 10'000);
    auto second = work.list.take({1, 0});
    REQUIRE(second);
    SUBCASE("none waits for the one before") {
        CHECK(work.list.take({2, 1}));
    }
    SUBCASE("nor for an end that moved far") {
        work.list.counted(*second, 1'000);
        work.list.moved_end(*second, {second->window.begin, second->window.end + Seconds(9000)});
        CHECK(work.list.take({2, 0}));
    }
}

TEST_CASE("what comes next is as wide as what was counted last in its direction") {
    Work work(WindowSet(window("2026-06-01 00:00:00", "2026-06-25 00:00:00")), "Europe/Amsterdam",
              Direction::oldest_first);
    work.planner.observe(1h, 10'000);
    const auto first = work.list.take();
    const auto second = work.list.take();
    REQUIRE(first);
    REQUIRE(second);
    work.list.counted(*second, 5'000);
    CHECK(work.planner.next() == 2h);
    // Older, and denser.
    work.list.counted(*first, 12'000);
    CHECK(work.planner.next() == 2h);
    // But what is far too much goes back, and is next.
    work.list.counted(*first, 20'000);
    CHECK(work.planner.next() == 30min);
}

TEST_CASE("where a window's end cannot move, what was counted ahead bounds the next one") {
    const Window all = window("2026-06-01 00:00:00", "2026-06-25 00:00:00");
    Work work(WindowSet(all), "Europe/Amsterdam", Direction::oldest_first);
    ReadingWay way;
    way.ends_move = false;
    work.list.read_as(way);
    work.planner.observe(24h, 10'000);
    const auto first = work.list.take();
    REQUIRE(first);
    REQUIRE(work.list.cut(*first, 100'000));  // of a day
    const auto second = work.list.take();
    REQUIRE(second);
    work.list.counted(*second, 0);
    // The planner would take eight times as much; 100,000 lie in the rest of the day.
    const auto third = work.list.take();
    REQUIRE(third);
    const Seconds rest = first->window.end - second->window.end;
    CHECK(third->window.width() <= rest / 10 + Seconds(1));
    CHECK(third->window.width() >= rest / 10 - Seconds(1));
}

TEST_CASE("the end of a piece moves as far as nobody has taken what follows") {
    const Window all = window("2026-06-01 00:00:00", "2026-06-05 00:00:00");
    Work work(WindowSet(all), "Europe/Amsterdam", Direction::oldest_first);
    auto first = work.list.take();
    REQUIRE(first);
    CHECK(work.list.latest_end(*first) == all.end);
    work.list.counted(*first, 10'000);

    work.list.moved_end(*first, {first->window.begin, first->window.end + Seconds(600)});
    auto second = work.list.take();
    REQUIRE(second);
    CHECK(second->window.begin == first->window.end);
    CHECK_FALSE(work.list.latest_end(*first));

    const Instant earlier = second->window.end - Seconds(600);
    work.list.moved_end(*second, {second->window.begin, earlier});
    CHECK(second->window.end == earlier);
    const auto third = work.list.take();
    REQUIRE(third);
    CHECK(third->window.begin == earlier);

    // It does not become wider than what the API serves, nor if something went wrong with it.
    work.planner.refuse(third->window.width() * 2);
    CHECK(work.list.latest_end(*third) == third->window.end);
    auto failed = *third;
    failed.unproven = 1;
    CHECK_FALSE(work.list.latest_end(failed));
}

TEST_CASE("the end of a piece moves a few times at the most") {
    Work work(WindowSet(window("2026-06-01 00:00:00", "2026-06-05 00:00:00")), "Europe/Amsterdam",
              Direction::oldest_first);
    auto piece = work.list.take();
    REQUIRE(piece);
    for (int move = 0; move < WindowScheduler::most_moves; ++move) {
        REQUIRE(work.list.latest_end(*piece));
        work.list.moved_end(*piece, {piece->window.begin, piece->window.end + Seconds(60)});
    }
    CHECK_FALSE(work.list.latest_end(*piece));
}

TEST_CASE("what did not add up to a later end, and is cut, is not read to that end for ever") {
    const Window all = window("2026-06-01 00:00:00", "2026-06-02 00:00:00");
    for (const Direction direction : {Direction::newest_first, Direction::oldest_first}) {
        Work work(WindowSet(all), "Europe/Amsterdam", direction);
        WindowSet read;
        int steps = 0;
        for (; steps < 1000; ++steps) {
            auto piece = work.list.take();
            if (!piece) {
                break;
            }
            // Most of it is in few places: wide windows hold far too much, and narrow ones little.
            if (piece->window.width() > 1h) {
                REQUIRE(work.list.cut(*piece, 100'000));
                continue;
            }
            work.list.counted(*piece, 4);
            const auto later = work.list.latest_end(*piece);
            if (later > piece->window.end) {
                work.list.moved_end(*piece, {piece->window.begin, *later});
                work.list.not_whole(*piece, "the list is not in the order of time");
                continue;
            }
            read.add(piece->window);
            work.list.done(*piece);
        }
        CHECK(steps < 1000);
        CHECK(work.list.empty());
        CHECK(read.contains(all));
    }
}

TEST_CASE("what is left at last is shared out among those who read") {
    const auto pieces = [](unsigned readers) {
        Zone zone("Europe/Amsterdam");
        WidthPlanner planner(10'000);
        planner.observe(8h, 10'000);
        const Window all = window("2026-06-01 00:00:00", "2026-06-02 00:00:00");
        WindowScheduler list(zone, WindowSet(all), planner, Direction::oldest_first, readers);
        std::vector<Seconds> widths;
        WindowSet taken;
        while (const auto piece = list.take()) {
            widths.push_back(piece->window.width());
            taken.add(piece->window);
        }
        CHECK(taken == WindowSet(all));
        return widths;
    };
    CHECK(pieces(1) == std::vector<Seconds>{8h, 8h, 8h});
    // A quarter of the usual width at the least, so that their pages are not all but empty.
    const std::vector<Seconds> shared = pieces(4);
    CHECK(shared.front() == 6h);
    CHECK(std::is_sorted(shared.rbegin(), shared.rend()));
    CHECK(shared[shared.size() - 2] == 2h);
    CHECK(shared.size() <= 10);
}

TEST_CASE("a window around the hour that comes twice can be cut until it fits") {
    // What lies beside the two passes is shorter than what the rows ask for.
    for (const Window& around : {window("2026-10-25 00:00:00", "2026-10-25 02:01:00"),
                                 window("2026-10-24 23:59:00", "2026-10-25 02:00:00"),
                                 window("2026-10-24 23:59:00", "2026-10-25 02:01:00")}) {
        for (const Direction direction : {Direction::newest_first, Direction::oldest_first}) {
            Work work(WindowSet(around), "Europe/Amsterdam", direction);
            work.planner.observe(1h, 0);
            WindowSet read;
            int steps = 0;
            while (const auto piece = work.list.take()) {
                REQUIRE(++steps < 20);
                const auto rows = static_cast<std::uint64_t>(piece->window.width().count() * 4);
                if (rows > 25'000 && work.list.cut(*piece, rows)) {
                    continue;
                }
                read.add(piece->window);
                work.list.counted(*piece, rows);
                work.list.done(*piece);
            }
            CHECK(read == WindowSet(around));
        }
    }
}

TEST_CASE("the two passes of the autumn hour are never parted") {
    Work work(WindowSet(window("2026-10-25 00:30:00", "2026-10-25 01:00:00")));
    const auto piece = work.list.take();
    REQUIRE(piece);
    CHECK(piece->window == window("2026-10-25 00:00:00", "2026-10-25 02:00:00"));
    CHECK_FALSE(work.list.divisible(piece->window));
    CHECK_FALSE(work.list.cut(*piece, 1'000'000));
    CHECK(work.list.divisible(window("2026-10-25 00:00:00", "2026-10-25 02:00:01")));
    CHECK(work.list.divisible(window("2027-03-28 00:59:59", "2027-03-28 01:00:01")));
}

TEST_CASE("what does not add up is read again, then halved, at last given up") {
    Work work(WindowSet(window("2026-06-01 10:00:00", "2026-06-01 10:00:02")));
    auto piece = work.list.take();
    REQUIRE(piece);
    work.list.not_whole(*piece, "reason");
    piece = work.list.take();
    CHECK(piece->window == window("2026-06-01 10:00:00", "2026-06-01 10:00:02"));
    work.list.not_whole(*piece, "reason");
    piece = work.list.take();
    CHECK(piece->window == window("2026-06-01 10:00:01", "2026-06-01 10:00:02"));
    for (int attempt = 1; attempt < WindowScheduler::most_attempts; ++attempt) {
        work.list.not_whole(*piece, "reason");
        piece = work.list.take();
        CHECK(piece->window == window("2026-06-01 10:00:01", "2026-06-01 10:00:02"));
    }
    CHECK(work.list.unread().empty());
    work.list.not_whole(*piece, "the reason");
    REQUIRE(work.list.unread().size() == 1);
    CHECK(work.list.unread().front().reason == "the reason");
    CHECK(work.list.unread().front().window ==
          window("2026-06-01 10:00:01", "2026-06-01 10:00:02"));
    CHECK(work.list.take()->window == window("2026-06-01 10:00:00", "2026-06-01 10:00:01"));
    CHECK_FALSE(work.list.take());
}

TEST_CASE("the halves of a window come in the direction of all") {
    const Window hour = window("2026-06-01 10:00:00", "2026-06-01 11:00:00");
    for (const Direction direction : {Direction::newest_first, Direction::oldest_first}) {
        Work work(WindowSet(hour), "Europe/Amsterdam", direction);
        work.list.at_fault(*work.list.take(), "refused");
        const auto half = work.list.take();
        REQUIRE(half);
        const bool newer = half->window == window("2026-06-01 10:30:00", "2026-06-01 11:00:00");
        CHECK(newer == (direction == Direction::newest_first));
    }
}

TEST_CASE("a window at fault is halved, and a second at fault is given up") {
    Work work(WindowSet(window("2026-06-01 10:00:00", "2026-06-01 11:00:00")));
    auto piece = work.list.take();
    WindowSet left;
    work.list.at_fault(*piece, "refused");
    CHECK(work.planner.next() == 30min);
    std::size_t faults = 0;
    while ((piece = work.list.take())) {
        if (piece->window.contains(utc("2026-06-01 10:20:17"))) {
            REQUIRE(++faults < 40);
            work.list.at_fault(*piece, "refused");
        } else {
            work.list.done(*piece);
            left.add(piece->window);
        }
    }
    REQUIRE(work.list.unread().size() == 1);
    CHECK(work.list.unread().front().window ==
          window("2026-06-01 10:20:17", "2026-06-01 10:20:18"));
    CHECK(left.width() == 3599s);
}

TEST_CASE("a long stretch at fault is found with few questions, its ends to the second") {
    struct Case {
        const char* begin;  // of what is good
        const char* end;
        int most_faults;
    };
    for (const Case& good : {
             Case{"2026-05-02 03:04:05", "2026-12-01 00:00:00", 400},
             Case{"2000-01-01 00:00:00", "2011-03-07 13:00:01", 400},
             Case{"2010-01-01 00:00:00", "2010-01-01 00:01:00", 400},
             Case{"2026-10-25 00:30:00", "2026-10-25 01:30:00", 400},  // in the autumn night
             Case{"2030-01-01 00:00:00", "2030-01-01 00:00:00", 400},  // nothing
         }) {
        for (const Direction direction : {Direction::newest_first, Direction::oldest_first}) {
            CAPTURE(std::string(good.begin));
            const Window all = window("2000-01-01 00:00:00", "2026-12-01 00:00:00");
            const Window well = intersection(window(good.begin, good.end), all);
            Work work(WindowSet(all), "Europe/Amsterdam", direction);
            WindowSet read;
            int faults = 0;
            while (const auto piece = work.list.take()) {
                REQUIRE_FALSE(piece->window.empty());
                CHECK(read.within(piece->window).empty());
                if (well.contains(piece->window)) {
                    work.list.counted(*piece, 5);
                    work.list.done(*piece);
                    read.add(piece->window);
                } else {
                    REQUIRE(++faults < 5000);
                    work.list.at_fault(*piece, "refused");
                }
            }
            CHECK(faults <= good.most_faults);
            WindowSet unread;
            for (const UnreadWindow& left : work.list.unread()) {
                unread.add(left.window);
            }
            CHECK(work.list.unread().size() <= 3);
            WindowSet both = unread;
            for (const Window& window : read.windows()) {
                both.add(window);
            }
            CHECK(both == WindowSet(all));
            MESSAGE(std::string(good.begin)
                    << ": " << faults << " questions failed, read " << read.width().count()
                    << " s of " << well.width().count());
        }
    }
}

TEST_CASE("what is put first is one piece and is not read twice") {
    Work work(WindowSet(window("2026-06-01 10:00:00", "2026-06-01 12:00:00")));
    work.list.put_first(window("2026-06-01 09:00:00", "2026-06-01 11:30:00"));
    CHECK(work.list.take()->window == window("2026-06-01 09:00:00", "2026-06-01 11:30:00"));
    CHECK(work.list.take()->window == window("2026-06-01 11:30:00", "2026-06-01 12:00:00"));
    CHECK_FALSE(work.list.take());
}

TEST_CASE("a window that the Date does not prove is requested again, a few times") {
    Work work(WindowSet(window("2026-06-01 10:00:00", "2026-06-01 10:30:00")));
    auto piece = work.list.take();
    for (int i = 1; i < WindowScheduler::most_attempts; ++i) {
        work.list.not_proven(*piece, "too early");
        piece = work.list.take();
        REQUIRE(piece);
    }
    work.list.not_proven(*piece, "too early");
    CHECK(work.list.empty());
    CHECK(work.list.unread().size() == 1);
}

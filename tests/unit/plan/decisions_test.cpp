// The pure parts of core/sync, as tables with their extremes.
#include <limits>
#include <random>

#include <doctest/doctest.h>

#include "core/copernica/backoff.hpp"
#include "core/copernica/page_check.hpp"
#include "core/copernica/server_clock.hpp"
#include "core/plan/emptiness.hpp"
#include "core/plan/width.hpp"
#include "core/plan/window_scheduler.hpp"
#include "tests/unit/sync/model.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::plan;
using namespace mirror::sync;
using namespace mirror::tests;
using namespace std::chrono_literals;

TEST_CASE("backoff doubles up to five minutes") {
    CHECK(Backoff::ceiling(0) == 1s);
    CHECK(Backoff::ceiling(1) == 1s);
    CHECK(Backoff::ceiling(2) == 2s);
    CHECK(Backoff::ceiling(9) == 256s);
    CHECK(Backoff::ceiling(10) == 5min);
    CHECK(Backoff::ceiling(11) == 5min);
    CHECK(Backoff::ceiling(std::numeric_limits<unsigned>::max()) == 5min);
}

TEST_CASE("a wait is a share of the ceiling, and what the server asks for at the least") {
    struct Line {
        unsigned failures;
        double jitter;
        std::optional<std::chrono::seconds> retry_after;
        std::chrono::milliseconds wait;
    };
    const Line lines[] = {
        {1, 0.0, std::nullopt, 0ms}, {1, 0.5, std::nullopt, 500ms},
        {4, 0.25, std::nullopt, 2s}, {99, 0.999999, std::nullopt, 299'999ms},
        {1, 0.5, 0s, 500ms},         {1, 0.5, 7s, 7s},
        {10, 0.5, 7s, 150s},         {1, 0.5, 3600s, 3600s},
        {1, 0.5, 3601s, 3600s},      {1, 0.5, std::chrono::seconds::max(), 3600s},
        {1, 0.5, -5s, 500ms},        {1, 0.0, std::chrono::seconds::min(), 0ms},
    };
    for (const Line& line : lines) {
        CAPTURE(line.failures);
        CHECK(Backoff::wait(line.failures, line.jitter, line.retry_after) == line.wait);
    }
}

TEST_CASE("the width grows eightfold at the most and ten empty years cost few windows") {
    WidthPlanner planner(10'000);
    CHECK(planner.next() == WidthPlanner::first_width);
    int windows = 0;
    for (Seconds read{0}; read < std::chrono::years(10); ++windows) {
        const Seconds width = planner.next();
        read += width;
        planner.observe(width, 0);
        CHECK(planner.next() <= width * 8);
    }
    CHECK(windows <= 7);
}

TEST_CASE("the width follows the rows") {
    struct Line {
        Seconds width;
        std::uint64_t rows;
        Seconds next;
    };
    const Line lines[] = {
        {1h, 10'000, 1h},
        {1h, 20'000, 30min},
        {1h, 5'000, 2h},
        {1h, 1, 8h},
        {1h, 0, 8h},
        {1s, 1'000'000, 1s},
        {0s, 0, 1h},
        {1s, 0, 1h},
        {1h, std::numeric_limits<std::uint64_t>::max(), 1s},
        {Seconds(std::int64_t{200} * 365 * 24 * 3600), 0,
         Seconds(std::int64_t{200} * 365 * 24 * 3600)},
    };
    for (const Line& line : lines) {
        WidthPlanner planner(10'000);
        planner.observe(line.width, line.rows);
        CAPTURE(line.rows);
        CHECK(planner.next() == line.next);
    }
}

TEST_CASE("the first window is a thousandth of a long period, and an hour of a short one") {
    WidthPlanner planner(10'000);
    planner.expect_period(24h);
    CHECK(planner.next() == 1h);
    planner.expect_period(24h * 365);
    CHECK(planner.next() == Seconds(24h * 365) / 1000);
    planner.observe(1h, 10'000);
    planner.expect_period(24h * 365 * 10);
    CHECK(planner.next() == 1h);
}

TEST_CASE("several windows at a time wait for one only where little is expected") {
    struct Line {
        Seconds width;
        std::uint64_t rows;
        bool exploring;
    };
    const Line lines[] = {
        {1h, 0, true},         // nothing
        {1h, 300, true},       // eight times as wide: 2,400 of 10,000
        {1h, 400, false},      // eight times as wide: 3,200, several pages
        {1h, 10'000, false},   // as wanted
        {10s, 20'000, false},  // narrow and full
        {1min, 0, false},      // a remnant of what was wider says nothing
    };
    for (const Line& line : lines) {
        CAPTURE(line.rows);
        WidthPlanner planner(10'000);
        CHECK(planner.exploring());
        planner.observe(1h, 10'000);
        planner.observe(line.width, line.rows);
        CHECK(planner.exploring() == line.exploring);
    }
}

TEST_CASE("a refused width is stayed below, and tried again with patience") {
    WidthPlanner planner(10'000);
    planner.observe(24h, 0);
    planner.refuse(48h);
    CHECK(planner.next() == 24h);
    const auto serve_one = [&] {
        const Seconds width = planner.next();
        planner.observe(width, 0);
        planner.served(width);
    };
    for (int i = 0; i < 15; ++i) {
        serve_one();
        CHECK(planner.next() == 24h);
    }
    serve_one();
    CHECK(planner.next() == 48h);
    planner.refuse(1s);
    CHECK(planner.next() == 1s);
    planner.refuse(0s);
    CHECK(planner.next() == 1s);
}

TEST_CASE("one Date in ten that is an hour fast moves nothing") {
    const Instant start = utc("2026-06-01 10:00:00");
    ServerClock clock(start, Monotonic());
    CHECK_FALSE(clock.accepted());
    for (int i = 0; i < 100; ++i) {
        const Monotonic now(std::chrono::seconds(i * 7));
        const Instant truth = start + Seconds(i * 7);
        const Instant date = i % 10 == 3 ? truth + 1h : truth;
        clock.observe(date, now);
        CHECK(clock.now(now) == truth);
        CHECK(clock.valid_until(date, now) == truth);
    }
    CHECK(clock.accepted());
}

TEST_CASE("three unexpected Dates in a row that agree are accepted, others are not") {
    const Instant start = utc("2026-06-01 10:00:00");
    for (const Seconds error : {Seconds(3600), Seconds(-3600), Seconds(61), Seconds(-61)}) {
        ServerClock clock(start + error, Monotonic());
        clock.observe(start, Monotonic(0s));
        clock.observe(std::nullopt, Monotonic(1s));
        clock.observe(start + 2s, Monotonic(2s));
        CHECK_FALSE(clock.accepted());
        CHECK(clock.now(Monotonic(2s)) == start + error + 2s);
        CHECK(clock.valid_until(start + 2s, Monotonic(2s)) ==
              std::min(start + 2s, start + error + 2s));
        CHECK_FALSE(clock.valid_until(std::nullopt, Monotonic(2s)));
        clock.observe(start + 3s, Monotonic(3s));
        CHECK(clock.accepted());
        CHECK(clock.now(Monotonic(3s)) == start + 3s);
    }
    ServerClock at_once(start + 60s, Monotonic());
    at_once.observe(start, Monotonic());
    CHECK(at_once.accepted());

    ServerClock clock(start, Monotonic());
    for (int i = 0; i < 50; ++i) {  // each far from the one before
        clock.observe(start + std::chrono::hours(i % 2 == 0 ? 1 : 3), Monotonic());
    }
    CHECK_FALSE(clock.accepted());
    clock.observe(start + 1h, Monotonic());
    clock.observe(start + 1h, Monotonic());
    clock.observe(start, Monotonic());  // what was expected ends the verification
    clock.observe(start + 1h, Monotonic());
    CHECK(clock.now(Monotonic()) == start);
}

namespace {

struct Reply {
    copernica::PageQuery query;
    Page page;
    Seconds slack{0};

    Reply() {
        query.begintime = local("2026-06-01 10:00:00");
        query.endtime = local("2026-06-01 11:00:00");
        query.limit = 10;
        query.total = true;
        page.start = 0;
        page.limit = 10;
        page.total = 0;
        page.count = 0;
    }
    void row(std::int64_t id, LocalTime time) {
        mirror::Row row;
        row.id = id;
        row.time = time;
        page.rows.push_back(row);
        page.total = page.count = page.records();
    }
    void reject(std::optional<std::int64_t> id, std::optional<LocalTime> time) {
        Reject unusable;
        unusable.position = page.records();
        unusable.id = id;
        unusable.time = time;
        page.rejects.push_back(unusable);
        page.total = page.count = page.records();
    }
    bool right() const { return !why_invalid(query, page, slack); }
};

}  // namespace

TEST_CASE("an envelope must fit the question") {
    CHECK(Reply().right());
    const auto wrong = [](auto&& change) {
        Reply reply;
        reply.row(1, local("2026-06-01 10:30:00"));
        reply.row(2, local("2026-06-01 10:30:00"));
        CHECK(reply.right());
        change(reply);
        CHECK_FALSE(reply.right());
    };
    wrong([](Reply& reply) { reply.page.start.reset(); });
    wrong([](Reply& reply) { reply.page.limit.reset(); });
    wrong([](Reply& reply) { reply.page.count.reset(); });
    wrong([](Reply& reply) { reply.page.total.reset(); });
    wrong([](Reply& reply) { reply.page.start = 1; });
    wrong([](Reply& reply) { reply.query.start = 1; });
    wrong([](Reply& reply) { reply.page.limit = 11; });
    wrong([](Reply& reply) { reply.page.count = 1; });
    wrong([](Reply& reply) { reply.page.count = 3; });
    wrong([](Reply& reply) { reply.page.total = 1; });
    wrong([](Reply& reply) { reply.page.total = 0; });
    wrong([](Reply& reply) { reply.query.limit = 1, reply.page.limit = 1; });
    wrong([](Reply& reply) { reply.page.rows.clear(), reply.page.count = 0; });

    Reply reply;
    reply.row(1, local("2026-06-01 10:30:00"));
    reply.page.limit = 5;
    reply.page.total = std::numeric_limits<std::uint64_t>::max();
    CHECK(reply.right());
    reply.query.total = false;
    reply.page.total.reset();
    CHECK(reply.right());
    reply.page.total = 0;  // not asked for
    CHECK(reply.right());

    Reply behind_the_end;
    behind_the_end.query.start = 7;
    behind_the_end.page.start = 7;
    behind_the_end.page.total = 7;
    CHECK(behind_the_end.right());
    behind_the_end.page.total = 8;
    CHECK_FALSE(behind_the_end.right());
}

TEST_CASE("an ID comes once in a page") {
    const LocalTime time = local("2026-06-01 10:30:00");
    Reply reply;
    for (const std::int64_t id : {5, 3, 9, 1}) {
        reply.row(id, time);
    }
    CHECK(reply.right());
    reply.reject(7, std::nullopt);
    reply.reject(std::nullopt, std::nullopt);
    reply.reject(std::nullopt, std::nullopt);
    CHECK(reply.right());
    Reply rows_twice;
    rows_twice.row(4, time);
    rows_twice.row(2, time);
    rows_twice.row(4, time);
    CHECK_FALSE(rows_twice.right());
    Reply row_and_reject;
    row_and_reject.row(4, time);
    row_and_reject.reject(4, time);
    CHECK_FALSE(row_and_reject.right());
}

TEST_CASE("timestamps lie inside of what was asked, with both ends, and the slack around") {
    struct Line {
        const char* time;
        Seconds slack;
        bool right;
    };
    const Line lines[] = {
        {"2026-06-01 10:00:00", 0s, true},  {"2026-06-01 11:00:00", 0s, true},
        {"2026-06-01 09:59:59", 0s, false}, {"2026-06-01 11:00:01", 0s, false},
        {"2026-06-01 09:00:00", 1h, true},  {"2026-06-01 12:00:00", 1h, true},
        {"2026-06-01 08:59:59", 1h, false}, {"2026-06-01 12:00:01", 1h, false},
    };
    for (const Line& line : lines) {
        CAPTURE(line.time);
        Reply row;
        row.slack = line.slack;
        row.row(1, local(line.time));
        CHECK(row.right() == line.right);
        Reply reject;
        reject.slack = line.slack;
        reject.reject(std::nullopt, local(line.time));
        CHECK(reject.right() == line.right);
    }
}

TEST_CASE("more than one record in a hundred, or three in all, that are unusable are doubted") {
    struct Line {
        int rows;
        int rejects;
        bool right;
    };
    const Line lines[] = {{0, 3, true},   {0, 4, false},  {300, 3, true},  {300, 4, false},
                          {396, 4, true}, {995, 5, true}, {990, 10, true}, {989, 11, false}};
    for (const Line& line : lines) {
        CAPTURE(line.rows);
        Reply reply;
        reply.query.limit = 1000;
        for (int i = 0; i < line.rows; ++i) {
            reply.row(i + 1, local("2026-06-01 10:30:00"));
        }
        for (int i = 0; i < line.rejects; ++i) {
            reply.reject(std::nullopt, std::nullopt);
        }
        CHECK(reply.right());
        CHECK(!why_doubtful(reply.page).has_value() == line.right);
    }
}

TEST_CASE("unusable records are compared by what they are, in any order") {
    const auto page_of = [](const std::vector<std::string>& records) {
        Page page;
        for (const std::string& record : records) {
            Reject reject;
            reject.record = record;
            page.rejects.push_back(reject);
        }
        return page;
    };
    CHECK(same_unusable(page_of({"a", "b"}), page_of({"b", "a"})));
    CHECK(same_unusable(page_of({}), page_of({})));
    CHECK_FALSE(same_unusable(page_of({"a", "a"}), page_of({"a", "b"})));
    CHECK_FALSE(same_unusable(page_of({"a"}), page_of({"a", "a"})));
}

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
    CHECK_FALSE(work.list.take(true));
    work.list.counted(*first, 10'000);
    CHECK(work.list.take(true));
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

TEST_CASE("what does not add up is read by start, then halved, at last given up") {
    Work work(WindowSet(window("2026-06-01 10:00:00", "2026-06-01 10:00:02")));
    auto piece = work.list.take();
    REQUIRE(piece);
    CHECK(piece->read_on == ReadOn::automatic);
    work.list.not_whole(*piece, "reason");
    piece = work.list.take();
    CHECK(piece->read_on == ReadOn::by_start);
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

TEST_CASE("what the Date did not speak for is asked again, not for ever") {
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

// Coverage and rejects: what is written together with the rows, or not at all.
#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "storage/sqlite/errors.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;

namespace {

void cover(MirrorFile& file, const Window& window) {
    file.writer(impressions).commit(whole(window, copernica::Page{}), window.end, at(window.end));
}

std::string reject_list(const std::filesystem::path& path) {
    return ask(path,
               "SELECT group_concat(record) FROM (SELECT record FROM rejects ORDER BY record)");
}

}  // namespace

TEST_CASE("coverage merges what overlaps or touches") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    WindowSet expected;
    // Every shape: apart, touching on either side, inside, around several, between two.
    const std::vector<Window> windows{
        noon_window(100, 200), noon_window(300, 400), noon_window(500, 600), noon_window(200, 250),
        noon_window(450, 500), noon_window(120, 130), noon_window(250, 300), noon_window(700, 800),
        noon_window(50, 900),  noon_window(0, 10),    noon_window(10, 50),   noon_window(950, 960)};
    for (const Window& window : windows) {
        cover(file, window);
        expected.add(window);
        CHECK(file.reader(impressions).coverage(0) == expected);
        CHECK(ask(path, "SELECT count(*) FROM covered_periods") ==
              std::to_string(expected.windows().size()));
    }
    CHECK(file.reader(impressions).coverage(900).empty());

    WindowSet away(noon_window(20, 30));
    away.add(noon_window(890, 955));
    file.writer(impressions).uncover(away);
    expected.subtract(away);
    CHECK(file.reader(impressions).coverage(0) == expected);
}

TEST_CASE("only the proven part of a window is covered") {
    TemporaryDirectory directory;
    MirrorFile file(options_for(directory / "m.db"), noon());
    auto windows = whole(noon_window(0, 60), rows(1, 2));
    windows[0].proven = noon_window(0, 40);
    file.writer(impressions).commit(windows, noon(45), at(noon(45)));
    CHECK(file.reader(impressions).coverage(0) == WindowSet(noon_window(0, 40)));
    windows[0].proven = {};
    file.writer(impressions).commit(windows, noon(45), at(noon(45)));
    CHECK(file.reader(impressions).coverage(0) == WindowSet(noon_window(0, 40)));
}

TEST_CASE("local bounds of coverage claim an hour that occurs twice only as a whole") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    const Instant autumn = Instant(std::chrono::sys_days(std::chrono::year{2026} / 10 / 25));
    const auto local_end = [&] { return ask(path, "SELECT local_end FROM covered_periods"); };
    cover(file, {autumn - Seconds(3600), autumn});
    CHECK(local_end() == "2026-10-25 02:00:00");
    cover(file, {autumn, autumn + Seconds(1800)});
    CHECK(local_end() == "2026-10-25 02:00:00");
    cover(file, {autumn, autumn + Seconds(5400)});
    CHECK(local_end() == "2026-10-25 02:00:00");
    cover(file, {autumn, autumn + Seconds(7200)});
    CHECK(local_end() == "2026-10-25 03:00:00");
    CHECK(ask(path, "SELECT local_begin FROM covered_periods") == "2026-10-25 01:00:00");
    CHECK(ask(path,
              "SELECT count(*) FROM covered_periods WHERE local_begin <= "
              "'2026-10-25 01:00:00' AND local_end >= '2026-10-25 03:00:00'") == "1");
}

TEST_CASE("rows and coverage come together or not at all") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    cover(file, noon_window(0, 10));
    SUBCASE("the coverage cannot be written") {
        meddle(path,
               "CREATE TRIGGER t BEFORE UPDATE ON coverage BEGIN SELECT RAISE(ABORT, 'no'); END");
    }
    SUBCASE("a row in the middle cannot be written") {
        meddle(path,
               "CREATE TRIGGER t BEFORE INSERT ON impression_rows WHEN new.id = 30 "
               "BEGIN SELECT RAISE(ABORT, 'no'); END");
    }
    CHECK_THROWS_AS(file.writer(impressions)
                        .commit(whole(noon_window(10, 60), rows(1, 40)), noon(60), at(noon(60))),
                    DatabaseError);
    CHECK(ask(path, "SELECT count(*) FROM impressions") == "0");
    CHECK(ask(path, "SELECT count(*) FROM user_agents") == "0");
    CHECK(file.reader(impressions).coverage(0) == WindowSet(noon_window(0, 10)));
    CHECK(file.reader(impressions).fact("rows") == "0");

    // The same again without the fault: nothing was remembered that was rolled back.
    meddle(path, "DROP TRIGGER t");
    const auto written =
        file.writer(impressions)
            .commit(whole(noon_window(10, 60), rows(1, 40)), noon(60), at(noon(60)));
    CHECK(written.inserted == 40);
    CHECK(ask(path, "SELECT count(*) FROM impressions WHERE useragent = 'Mozilla/5.0'") == "40");
    CHECK(file.reader(impressions).coverage(0) == WindowSet(noon_window(0, 60)));
}

TEST_CASE("a whole read replaces the rejects of its window") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    const auto read = [&](const Window& window, std::vector<Reject> rejects, Instant now) {
        copernica::Page page;
        page.rejects = std::move(rejects);
        return file.writer(impressions).commit(whole(window, std::move(page)), window.end, at(now));
    };
    const auto written =
        read(noon_window(0, 60),
             {reject("a", "2026-03-01 13:00:10"), reject("b"), reject("c", "2026-03-01 13:00:99"),
              reject("a", "2026-03-01 13:00:10")},
             noon(61));
    CHECK(written.rejected == 4);
    read(noon_window(60, 120), {reject("d", "2026-03-01 13:01:30"), reject("e")}, noon(121));
    CHECK(reject_list(path) == "a,b,c,d,e");
    CHECK(file.reader(impressions).fact("rejects") == "5");

    SUBCASE("what came again stays as it was, the rest of the window goes") {
        read(noon_window(0, 60), {reject("b"), reject("f")}, noon(200));
        CHECK(reject_list(path) == "b,d,e,f");
        CHECK(file.reader(impressions).fact("rejects") == "4");
        CHECK(ask(path, "SELECT received_at FROM rejects WHERE record = 'b'") ==
              std::to_string(noon(61).time_since_epoch().count()));
    }
    SUBCASE("a part of a window replaces only what lies in it for certain") {
        read(noon_window(5, 20), {}, noon(200));
        CHECK(reject_list(path) == "b,c,d,e");
    }
    SUBCASE("what two windows returned lies in what they share") {
        read(noon_window(5, 20), {reject("a", "2026-03-01 13:00:10"), reject("b")}, noon(200));
        CHECK(reject_list(path) == "a,b,c,d,e");
        read(noon_window(0, 30), {}, noon(200));
        CHECK(reject_list(path) == "c,d,e");
    }
    SUBCASE("reads of all parts of a window, from either end, replace what was in it") {
        bool forward = false;
        SUBCASE("oldest first") {
            forward = true;
        }
        SUBCASE("newest first") {}
        for (int part = 0; part < 3; ++part) {
            CHECK(reject_list(path).find('b') != std::string::npos);
            const int begin = 20 * (forward ? part : 2 - part);
            read(noon_window(begin, begin + 20), {}, noon(200));
        }
        CHECK(reject_list(path) == "d,e");
        CHECK(file.reader(impressions).fact("rejects") == "2");
    }
    SUBCASE("equal ones count as often as they came last") {
        const auto count = [&] {
            const LocalTime begin = *parse_local("2026-03-01 13:00:00");
            return file.reader(impressions).count(begin, begin + Seconds(120));
        };
        CHECK(count() == 6);
        read(noon_window(0, 60), {reject("a", "2026-03-01 13:00:10"), reject("b"), reject("b")},
             noon(200));
        CHECK(count() == 5);
        CHECK(ask(path, "SELECT copies FROM rejects WHERE record = 'a'") == "1");
        CHECK(ask(path, "SELECT copies FROM rejects WHERE record = 'b'") == "2");
    }
    SUBCASE("a wider one replaces all") {
        read(noon_window(-10, 200), {}, noon(200));
        CHECK(file.reader(impressions).fact("rejects") == "0");
        CHECK(ask(path, "SELECT count(*) FROM rejects") == "0");
    }
}

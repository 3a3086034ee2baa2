// What a second read of a period finds out: rows that are gone, rows that were late, rows that
// differ; and where a period can be cut.

#include <algorithm>

#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "storage/lateness.hpp"
#include "storage/mirror_file.hpp"
#include "storage/status_reader.hpp"
#include "tests/support/impression.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;
using sync::RowDifference;
using sync::RowFreeNear;

namespace {

LocalTime local_noon(int offset) {
    return *parse_local("2026-03-01 13:00:00") + Seconds(offset);
}

}  // namespace

TEST_CASE("a row that its period does not return any more is marked, once") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    file.writer(impressions).commit(whole(noon_window(0, 60), rows(1, 20)), noon(60), at(noon(60)));
    // The rows of another period are not compared with this one.
    const auto without_first = [] {
        copernica::Page page = rows(1, 10);
        page.rows.erase(page.rows.begin());
        return whole(noon_window(0, 10), std::move(page));
    };
    auto second = file.writer(impressions).commit(without_first(), noon(70), at(noon(70)));
    CHECK(second.unchanged == 9);
    CHECK(second.removed == 1);
    CHECK(ask(path, "SELECT group_concat(id) FROM impressions WHERE removed_at IS NOT NULL") ==
          "1");
    CHECK(ask(path, "SELECT removed_at = changed_at FROM impressions WHERE id = 1") == "1");
    second = file.writer(impressions).commit(without_first(), noon(80), at(noon(80)));
    CHECK(second.removed == 0);
    CHECK(file.reader(impressions).fact("removed") == "1");
    CHECK(file.writer(impressions).prune(local_noon(1), local_noon(60)) == 0);
    CHECK(file.writer(impressions).prune(local_noon(0), local_noon(60)) == 1);
    CHECK(file.reader(impressions).fact("removed") == "0");
    CHECK(file.reader(impressions).fact("rows") == "19");
}

TEST_CASE("what is not proven removes nothing") {
    TemporaryDirectory directory;
    MirrorFile file(options_for(directory / "m.db"), noon());
    file.writer(impressions).commit(whole(noon_window(0, 60), rows(1, 20)), noon(60), at(noon(60)));
    auto windows = whole(noon_window(0, 60), rows(1, 10));
    windows.front().proven = noon_window(0, 10);
    CHECK(file.writer(impressions).commit(windows, noon(70), at(noon(70))).removed == 0);
}

TEST_CASE("coverage is kept for each age") {
    TemporaryDirectory directory;
    MirrorFile file(options_for(directory / "m.db"), noon());
    auto windows = whole(noon_window(0, 60), rows(1, 2));
    windows.front().aged = {{Seconds(30), noon_window(0, 40)}, {Seconds(50), noon_window(0, 20)}};
    file.writer(impressions).commit(windows, noon(70), at(noon(70)));
    CHECK(file.reader(impressions).coverage(0).windows() == std::vector{noon_window(0, 60)});
    CHECK(file.reader(impressions).coverage(30).windows() == std::vector{noon_window(0, 40)});
    CHECK(file.reader(impressions).coverage(50).windows() == std::vector{noon_window(0, 20)});
    file.writer(impressions).uncover(WindowSet(noon_window(10, 15)));
    CHECK_FALSE(file.reader(impressions).coverage(50).contains(noon_window(0, 20)));
}

TEST_CASE("what an older read wrote over a later one is to be read again") {
    TemporaryDirectory directory;
    MirrorFile file(options_for(directory / "m.db"), noon());
    const auto read_at = [](std::int64_t when, Window aged) {
        auto windows = whole(noon_window(0, 60), rows(1, 2));
        windows.front().read_at = noon(when);
        windows.front().aged = {{Seconds(30), aged}};
        return windows;
    };
    // Another process read the same period earlier, and is only now ready to store it: a row that
    // came or changed in between is as it was before, and must not count as seen at its age.
    file.writer(impressions).commit(read_at(90, noon_window(0, 60)), noon(90), at(noon(90)));
    CHECK(file.reader(impressions).coverage(30).windows() == std::vector{noon_window(0, 60)});
    file.writer(impressions).commit(read_at(70, noon_window(0, 40)), noon(90), at(noon(90)));
    CHECK(file.reader(impressions).coverage(30).windows() == std::vector{noon_window(0, 40)});
    CHECK(file.reader(impressions).coverage(0).windows() == std::vector{noon_window(0, 60)});

    // A reply's rows may lie at the second where the next window begins.
    file.writer(impressions).commit(read_at(90, noon_window(0, 60)), noon(90), at(noon(90)));
    auto before = whole(noon_window(-60, 0), copernica::Page{});
    before.front().read_at = noon(20);
    file.writer(impressions).commit(before, noon(90), at(noon(90)));
    CHECK(file.reader(impressions).coverage(30).windows() == std::vector{noon_window(1, 60)});

    // One that comes later takes nothing away.
    file.writer(impressions).commit(read_at(95, noon_window(0, 60)), noon(95), at(noon(95)));
    file.writer(impressions).commit(read_at(95, noon_window(0, 60)), noon(95), at(noon(95)));
    CHECK(file.reader(impressions).coverage(30).windows() == std::vector{noon_window(0, 60)});
}

TEST_CASE("late is what came into a covered period; history is merely old") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    file.writer(impressions)
        .commit(whole(noon_window(0, 60), rows(1, 5)), noon(600), at(noon(600)));
    StatusOptions options;
    options.path = path;
    CHECK_FALSE(read_status(options).of(impressions).lateness.has_value());
    // 6 to 8 (at noon + 5, 6 and 7) come later, and 70 is of a period that was not covered.
    copernica::Page page = rows(1, 8);
    page.rows.push_back(row(page, 70, 69));
    file.writer(impressions)
        .commit(whole(noon_window(0, 80), std::move(page)), noon(107), at(noon(107)));
    const auto late = read_status(options).of(impressions).lateness;
    REQUIRE(late.has_value());
    CHECK(late->rows == 3);
    CHECK(late->median == Seconds(101));
    CHECK(late->largest == Seconds(102));
}

TEST_CASE("lateness is kept with two digits beyond two minutes, never made smaller") {
    CHECK(kept_lateness(Seconds(-5)) == Seconds(0));
    CHECK(kept_lateness(Seconds(119)) == Seconds(119));
    CHECK(kept_lateness(Seconds(120)) == Seconds(120));
    CHECK(kept_lateness(Seconds(121)) == Seconds(130));
    CHECK(kept_lateness(Seconds(999)) == Seconds(1000));
    CHECK(kept_lateness(Seconds(1001)) == Seconds(1100));
    CHECK(kept_lateness(Seconds(518400)) == Seconds(520000));
}

TEST_CASE("a comparison finds what is missing, gone and changed, and changes nothing") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    file.writer(impressions).commit(whole(noon_window(0, 60), rows(1, 10)), noon(60), at(noon(60)));
    copernica::Page page = rows(1, 11);
    page.rows.erase(page.rows.begin());
    page.rows[3].integers[tests::slot::profile] = 4711;             // 5
    page.rows[4].entries[tests::slot::agent].first = std::nullopt;  // 6
    const auto windows = whole(noon_window(0, 60), std::move(page));
    auto found = file.reader(impressions).compare(windows);
    std::sort(found.begin(), found.end(),
              [](const RowDifference& a, const RowDifference& b) { return a.id < b.id; });
    REQUIRE(found.size() == 4);
    CHECK(found[0].id == 1);
    CHECK(found[0].kind == RowDifference::Kind::gone);
    CHECK(found[0].time == local_noon(0));
    CHECK(found[1].id == 5);
    CHECK(found[1].kind == RowDifference::Kind::changed);
    CHECK(found[2].id == 6);
    CHECK(found[2].kind == RowDifference::Kind::changed);
    CHECK(found[3].id == 11);
    CHECK(found[3].kind == RowDifference::Kind::missing);
    CHECK(found[3].time == local_noon(10));
    CHECK(ask(path, "SELECT count(*) FROM impressions WHERE removed_at IS NULL") == "10");
    CHECK(file.reader(impressions).compare(whole(noon_window(0, 60), rows(1, 10))).empty());
}

TEST_CASE("removed rows are counted, of a period without its end") {
    TemporaryDirectory directory;
    MirrorFile file(options_for(directory / "m.db"), noon());
    file.writer(impressions).commit(whole(noon_window(0, 60), rows(1, 10)), noon(60), at(noon(60)));
    CHECK(file.reader(impressions).count_removed(local_noon(0), local_noon(60)) == 0);
    copernica::Page page = rows(1, 10);
    page.rows.erase(page.rows.begin() + 3, page.rows.begin() + 5);
    file.writer(impressions)
        .commit(whole(noon_window(0, 60), std::move(page)), noon(70), at(noon(70)));
    CHECK(file.reader(impressions).count_removed(local_noon(0), local_noon(60)) == 2);
    CHECK(file.reader(impressions).count_removed(local_noon(3), local_noon(4)) == 1);
    CHECK(file.reader(impressions).count_removed(local_noon(0), local_noon(3)) == 0);
    CHECK(file.reader(impressions).count_removed(local_noon(5), local_noon(60)) == 0);
}

TEST_CASE("the middle row has half of the others before it") {
    TemporaryDirectory directory;
    MirrorFile file(options_for(directory / "m.db"), noon());
    copernica::Page page = rows(1, 5);
    page.rows.push_back(row(page, 6, 50));
    file.writer(impressions)
        .commit(whole(noon_window(0, 60), std::move(page)), noon(60), at(noon(60)));
    CHECK(file.reader(impressions).middle_row(local_noon(0), local_noon(5)) == local_noon(2));
    CHECK(file.reader(impressions).middle_row(local_noon(0), local_noon(60)) == local_noon(3));
    CHECK(file.reader(impressions).middle_row(local_noon(4), local_noon(51)) == local_noon(50));
    CHECK(file.reader(impressions).middle_row(local_noon(4), local_noon(50)) == local_noon(4));
    CHECK_FALSE(file.reader(impressions).middle_row(local_noon(5), local_noon(50)));
}

TEST_CASE("a quiet second has nothing in it nor beside it") {
    TemporaryDirectory directory;
    MirrorFile file(options_for(directory / "m.db"), noon());
    copernica::Page page;
    std::int64_t id = 0;
    for (const int second : {10, 11, 12, 20, 22, 24, 27, 28, 29, 40}) {
        page.rows.push_back(row(page, ++id, second));
    }
    file.writer(impressions)
        .commit(whole(noon_window(0, 60), std::move(page)), noon(60), at(noon(60)));
    const auto quiet = [&](int begin, int end, RowFreeNear near) {
        return file.reader(impressions).row_free_second(local_noon(begin), local_noon(end), near);
    };
    CHECK(quiet(0, 60, RowFreeNear::begin) == local_noon(0));
    CHECK(quiet(9, 60, RowFreeNear::begin) == local_noon(14));
    CHECK(quiet(19, 60, RowFreeNear::begin) == local_noon(31));
    CHECK(quiet(0, 60, RowFreeNear::end) == local_noon(60));
    CHECK(quiet(0, 41, RowFreeNear::end) == local_noon(38));
    CHECK(quiet(0, 29, RowFreeNear::end) == local_noon(18));
    CHECK_FALSE(quiet(20, 29, RowFreeNear::end).has_value());
    CHECK_FALSE(quiet(20, 29, RowFreeNear::begin).has_value());
    // The sixth of ten rows is at 24: the nearest quiet seconds are 18 and 31.
    CHECK(quiet(0, 60, RowFreeNear::middle) == local_noon(18));
    CHECK_FALSE(quiet(41, 60, RowFreeNear::middle).has_value());
    // Never a bound, even if it is nearest: cutting there would not split the period.
    CHECK(quiet(38, 60, RowFreeNear::middle) == local_noon(42));
    CHECK_FALSE(quiet(38, 42, RowFreeNear::middle).has_value());
}

TEST_CASE("a second with a reject is not quiet, nor are those beside it") {
    TemporaryDirectory directory;
    MirrorFile file(options_for(directory / "m.db"), noon());
    copernica::Page page;
    page.rows.push_back(row(page, 1, 10));
    page.rejects.push_back(reject(R"({"ID":"x"})", format_local(local_noon(20))));
    file.writer(impressions)
        .commit(whole(noon_window(0, 60), std::move(page)), noon(60), at(noon(60)));
    auto& reader = file.reader(impressions);
    CHECK(reader.row_free_second(local_noon(19), local_noon(60), RowFreeNear::begin) ==
          local_noon(22));
    CHECK(reader.row_free_second(local_noon(0), local_noon(21), RowFreeNear::end) ==
          local_noon(18));
}

TEST_CASE("rows that others deleted are counted anew") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    file.writer(impressions).commit(whole(noon_window(0, 60), rows(1, 20)), noon(60), at(noon(60)));
    meddle(path, "DELETE FROM impression_rows WHERE id < 4");
    CHECK(file.reader(impressions).fact("rows") == "20");
    file.writer(impressions).recount();
    CHECK(file.reader(impressions).fact("rows") == "17");
}

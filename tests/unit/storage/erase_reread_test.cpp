// What is read, compared and counted after an `erase`.
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "tests/unit/storage/erase_scene.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;

TEST_CASE("erase: a re-read does not bring it back, and sees no difference") {
    Scene scene;
    erase(scene.file, {by_profile()});
    CHECK(scene.counted() == 20);  // as the API counts
    CHECK(scene.differences(minute()) == 0);
    for (int read = 0; read < 2; ++read) {
        const sync::Written written = scene.read(minute());
        CHECK(written.inserted == 0);
        CHECK(written.updated == 0);
        CHECK(written.unchanged == 17);
        CHECK(written.removed == 0);
        CHECK(written.doubted == 0);
    }
    CHECK(scene.asked("SELECT count(*) FROM impressions") == "17");
    CHECK(scene.counted() == 20);
    // The API's records are found in their order, and no cut is placed where it shows some.
    auto& reader = scene.file.reader(impressions);
    const LocalTime begin = *parse_local("2026-03-01 13:00:00");
    CHECK(reader.nth_record(begin, begin + Seconds(60), 6) == begin + Seconds(6));
    CHECK(reader.row_free_second(begin, begin + Seconds(59), sync::RowFreeNear::begin) ==
          begin + Seconds(21));
}

TEST_CASE("erase: what the API does not show any more counts no longer, and never comes back") {
    Scene scene;
    erase(scene.file, {by_profile()});
    copernica::Page fewer = minute();
    fewer.rows.erase(fewer.rows.begin() + 6);
    // Compared before it is read whole, it is a record that the API lost.
    copernica::Page compared = minute();
    compared.rows.erase(compared.rows.begin() + 6);
    CHECK(scene.differences(std::move(compared)) == 1);
    CHECK(scene.read(std::move(fewer)).removed == 0);
    CHECK(scene.counted() == 19);
    CHECK(scene.asked("SELECT id FROM erased WHERE gone_at IS NOT NULL") == "7");
    // A reply that lost it by mistake: it comes again.
    CHECK(scene.read(minute()).inserted == 0);
    CHECK(scene.counted() == 20);
    CHECK(scene.differences(minute()) == 0);
    CHECK(scene.asked("SELECT count(*) FROM impressions WHERE id = 7") == "0");
}

TEST_CASE("erase: a record that has another time by now stays erased, and counts there") {
    Scene scene;
    erase(scene.file, {by_profile()});
    copernica::Page moved = minute();
    moved.rows[6] = persons(moved, 7, 40);
    CHECK(scene.read(std::move(moved)).inserted == 0);
    CHECK(scene.counted() == 20);
    CHECK(scene.asked("SELECT count(*) FROM impressions WHERE id = 7") == "0");
    CHECK(scene.asked("SELECT timestamp FROM erased WHERE id = 7 AND gone_at IS NULL") ==
          "2026-03-01 13:00:40");
}

TEST_CASE("erase: another record of an erased ID is not lost") {
    Scene scene;
    copernica::Page other;
    other.rows.push_back(row(other, 7, 70));  // of another profile
    scene.read(std::move(other), noon_window(60, 120));
    CHECK(scene.asked("SELECT count(*) FROM rejects WHERE id = 7") == "1");
    CHECK(erase(scene.file, {by_profile()}).rejects == 0);
    for (int read = 0; read < 2; ++read) {
        copernica::Page again;
        again.rows.push_back(row(again, 7, 70));
        scene.read(std::move(again), noon_window(60, 120));
        CHECK(scene.asked("SELECT timestamp FROM impressions WHERE id = 7") ==
              "2026-03-01 13:01:10");
        scene.read(minute());
        CHECK(scene.counted() == 20);
    }
    CHECK(scene.asked("SELECT count(*) FROM impressions WHERE profile = 777001") == "0");
}

TEST_CASE("erase: a window that was read before it brings nothing back") {
    Scene scene;  // stands for a daemon
    copernica::Page page = minute();
    page.rows.push_back(row(page, 21, 21, agent));  // somebody else, of the same browser
    std::vector<sync::WholeWindow> in_flight = whole(noon_window(0, 60), std::move(page));
    {
        MirrorFile other(options_for(scene.path), noon(400));
        CHECK(erase(other, {by_profile()}).rows == 3);
    }
    CHECK(scene.asked("SELECT count(*) FROM user_agents") == "1");
    const sync::Written written =
        scene.file.writer(impressions).commit(in_flight, noon(600), at(noon(600)));
    CHECK(written.inserted == 1);
    CHECK(scene.asked("SELECT count(*) FROM impressions WHERE profile = 777001") == "0");
    // The daemon knew the number of an entry that is gone.
    CHECK(scene.asked("SELECT useragent FROM impressions WHERE id = 21") == agent);
}

TEST_CASE("erase: a record stays erased whether a reply has it as a row or as a reject") {
    Scene scene;
    const auto as_reject = [](const char* record) {
        copernica::Page page;
        page.rows.push_back(row(page, 60, 75));
        page.rejects.push_back(reject(record, "2026-03-01 13:01:10"));
        return page;
    };
    const auto as_row = [] {
        copernica::Page page;
        page.rows.push_back(row(page, 60, 75));
        page.rows.push_back(persons(page, 41, 70));
        return page;
    };
    const char* record = R"({"ID":"0041","profile":777001,"timestamp":"2026-03-01 13:01:10"})";
    SUBCASE("a row first") {
        scene.read(as_row(), noon_window(60, 120));
    }
    SUBCASE("a reject first") {
        scene.read(as_reject(record), noon_window(60, 120));
    }
    SUBCASE("a reject of an older version of the program, with its ID in the record alone") {
        record = R"({"id":41,"profile":777001,"timestamp":"2026-03-01 13:01:10"})";
        scene.read(as_reject(record), noon_window(60, 120));
        CHECK(scene.asked("SELECT id IS NULL FROM rejects") == "1");
    }
    const ErasedOfStream erased = erase(scene.file, {by_profile()});
    CHECK(erased.rows + erased.rejects == 4);
    for (int read = 0; read < 2; ++read) {
        scene.read(as_reject(record), noon_window(60, 120));
        CHECK(scene.asked("SELECT count(*) FROM rejects") == "0");
        scene.read(as_row(), noon_window(60, 120));
        CHECK(scene.asked("SELECT count(*) FROM impressions WHERE profile = 777001") == "0");
    }
    CHECK(scene.asked("SELECT count(*) FROM impressions WHERE id = 60") == "1");
}

TEST_CASE("erase: a row that was removed does not count after it either") {
    Scene scene;
    copernica::Page fewer = minute();
    fewer.rows.erase(fewer.rows.begin() + 2);
    scene.read(std::move(fewer));
    CHECK(scene.asked("SELECT count(*) FROM impressions WHERE removed_at IS NOT NULL") == "1");
    CHECK(erase(scene.file, {by_profile()}).rows == 3);
    CHECK(scene.counted() == 19);
    CHECK(scene.asked(
              "SELECT value FROM mirror WHERE stream = 'impressions' AND key = 'removed'") == "0");
}

// What `erase` does to a file.
#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "storage/eraser.hpp"
#include "tests/support/impression.hpp"
#include "tests/unit/storage/erase_scene.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;

namespace {

// In all files of the directory.
std::size_t occurrences(const std::filesystem::path& directory, std::string_view text) {
    std::size_t found = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        const std::string bytes = bytes_of(entry.path()).value_or("");
        for (std::size_t place = bytes.find(text); place != std::string::npos;
             place = bytes.find(text, place + 1)) {
            ++found;
        }
    }
    return found;
}

}  // namespace

TEST_CASE("erase: the rows of a profile go, with what only they used; the others stay") {
    Scene scene;
    const ErasedOfStream erased = erase(scene.file, {by_profile()});
    CHECK(erased.stream == &impressions);
    CHECK(erased.rows == 3);
    CHECK(erased.rejects == 0);
    CHECK(scene.asked("SELECT count(*) FROM impressions") == "17");
    CHECK(scene.asked("SELECT count(*) FROM impressions WHERE profile = 777001") == "0");
    CHECK(scene.asked("SELECT count(*) FROM user_agents") == "1");
    CHECK(scene.asked("SELECT count(DISTINCT user_agent) FROM open_kinds") == "1");
    CHECK(scene.asked("SELECT value FROM mirror WHERE stream = 'impressions' AND key = 'rows'") ==
          "17");
    CHECK(scene.asked("SELECT group_concat(id || ' ' || timestamp, ', ') FROM erased") ==
          "3 2026-03-01 13:00:02, 7 2026-03-01 13:00:06, 12 2026-03-01 13:00:11");
    CHECK(scene.asked("SELECT kind || ': ' || outcome FROM runs WHERE stream = 'impressions'") ==
          "erase: erased 3 rows, 0 rejects");
    CHECK(scene.asked("SELECT count(*) FROM erasures") == "0");
    CHECK(scene.asked("SELECT count(*) FROM erased_entries") == "0");
    // Again: nothing is there.
    CHECK(erase(scene.file, {by_profile()}).rows == 0);
}

TEST_CASE("erase: an entry that a new row uses stays") {
    Scene scene;
    Eraser eraser = scene.file.eraser();
    eraser.begin(request({by_profile()}));
    meddle(scene.path, "INSERT INTO erased_entries VALUES ('user_agents', 1), ('user_agents', 2)");
    copernica::Page page = rows(30, 30);
    page.rows.front() = row(page, 30, 30, agent);
    scene.read(std::move(page), noon_window(30, 60));
    CHECK(scene.asked("SELECT count(*) FROM erased_entries") == "1");
    eraser.finish(noon(500), [] { return noon(501); });
    CHECK(scene.asked("SELECT useragent FROM impressions WHERE id = 30") == agent);
    CHECK(scene.asked("SELECT count(*) FROM impressions WHERE useragent IS NULL") == "0");
}

TEST_CASE("erase: from its begin on, nothing that matches is stored, and any process finishes it") {
    Scene scene;
    scene.file.eraser().begin(request({by_profile()}));
    copernica::Page page;
    page.rows.push_back(persons(page, 31, 70));
    page.rows.push_back(row(page, 32, 71));
    CHECK(scene.read(std::move(page), noon_window(60, 120)).inserted == 1);
    CHECK(scene.asked("SELECT count(*) FROM impressions WHERE profile = 777001") == "3");
    {
        const MirrorFile next(options_for(scene.path), noon(700));
        REQUIRE(next.finished_erasure().size() == streams().size());
        CHECK(next.finished_erasure().front().rows == 3);
    }
    CHECK(scene.asked("SELECT count(*) FROM impressions WHERE profile = 777001") == "0");
    CHECK(scene.asked("SELECT count(*) FROM erasures") == "0");
    CHECK(scene.asked("SELECT count(*) FROM erased") == "4");
    CHECK(scene.file.reader(impressions)
              .count(*parse_local("2026-03-01 13:01:00"), *parse_local("2026-03-01 13:01:59")) ==
          2);
}

TEST_CASE("erase: nothing of it is left in the files, not even where rows were moved") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorOptions options = options_for(path);
    options.indexes = {"mailing", "destination", "profile", "changed_at"};
    MirrorFile file(options, noon());
    file.writer(impressions).claim_account("34", "Development", {});
    // Newest first, as a backfill reads: pages are split again and again.
    const std::string secret = "203.0.113.";
    std::vector<std::int64_t> order;
    for (std::int64_t id = 1; id <= 6000; ++id) {
        order.push_back(id * 7919 % 6007);
    }
    for (std::size_t i = 0; i < order.size(); i += 300) {
        copernica::Page page;
        for (std::size_t j = i; j < i + 300; ++j) {
            const std::int64_t id = order[j];
            tests::Impression made = tests::impression_of(
                row(page, id, 0, id % 50 == 0 ? "Agent-of-the-erased" : "Mozilla/5.0"));
            made.profile = id % 50;
            made.ip = page.texts.keep(id % 50 == 0 ? secret + std::to_string(id % 200) : "::1");
            if (id % 50 == 0) {
                made.profile = person;
                made.extra = R"({"city":"Canaryville"})";
            }
            page.rows.push_back(tests::row_of(made));
        }
        const auto begin = static_cast<std::int64_t>(i);
        const sync::Written written =
            file.writer(impressions)
                .commit(whole(noon_window(begin, begin + 1), std::move(page)), noon(9000),
                        at(noon(9000)));
        CHECK(written.inserted == 300);
    }
    meddle(path,
           "PRAGMA secure_delete = OFF; CREATE TABLE t AS SELECT * FROM impression_rows; "
           "DROP TABLE t");
    CHECK(occurrences(directory.path(), secret) > 0);
    CHECK(erase(file, {by_profile()}).rows == 120);
    CHECK(occurrences(directory.path(), secret) == 0);
    CHECK(occurrences(directory.path(), "Agent-of-the-erased") == 0);
    CHECK(occurrences(directory.path(), "Canaryville") == 0);
    CHECK(occurrences(directory.path(), std::to_string(person)) == 0);
    CHECK(ask(path, "PRAGMA integrity_check") == "ok");
    CHECK(ask(path, "SELECT count(*) FROM impressions") == "5880");
}

TEST_CASE("erase: the criterion itself does not stay in the files") {
    Scene scene;
    CHECK(erase(scene.file, {by_address(address), by(ErasureRule::Kind::destination, 987654321)})
              .rows == 3);
    CHECK(occurrences(scene.directory.path(), address) == 0);
    CHECK(occurrences(scene.directory.path(), "987654321") == 0);
}

TEST_CASE("erase: a reader in a long transaction holds it up, and the next attempt succeeds") {
    Scene scene;
    Eraser eraser = scene.file.eraser();
    {
        SQLite::Database reader(scene.path.string(), SQLite::OPEN_READONLY);
        reader.exec("BEGIN");
        SQLite::Statement count(reader, "SELECT count(*) FROM impression_rows");
        count.executeStep();
        CHECK(count.getColumn(0).getInt() == 20);
        eraser.begin(request({by_profile()}));
        eraser.finish(noon(500), [] { return noon(501); });
        CHECK_FALSE(eraser.clean(std::chrono::milliseconds(30)));
        CHECK(occurrences(scene.directory.path(), address) > 0);
    }
    CHECK(eraser.clean(std::chrono::milliseconds(1000)));
    CHECK(occurrences(scene.directory.path(), address) == 0);
}

TEST_CASE("erase --before: a bound is all that stays, and what is older is not compared") {
    Scene scene;
    erase(scene.file, {by_profile()});
    const ErasedOfStream erased = erase(scene.file, {by_age("2026-03-01 13:00:10")});
    CHECK(erased.rows == 8);
    CHECK(scene.asked("SELECT min(timestamp) FROM impressions") == "2026-03-01 13:00:10");
    CHECK(scene.asked("SELECT group_concat(id) FROM erased") == "12");
    CHECK(scene.read(minute()).inserted == 0);
    CHECK(scene.asked("SELECT count(*) FROM impressions") == "9");
    CHECK(scene.asked("SELECT group_concat(id) FROM erased") == "12");
    CHECK(scene.differences(minute()) == 0);
    // An older bound changes nothing.
    CHECK(erase(scene.file, {by_age("2026-03-01 12:00:00")}).rows == 0);
    CHECK(scene.asked("SELECT value FROM mirror WHERE stream = 'impressions' "
                      "AND key = 'erased_before'") == "2026-03-01 13:00:10");
}

TEST_CASE("erase: an address counts however it is written, also in fields of the wrong kind") {
    Scene scene;
    copernica::Page page;
    tests::Impression made = tests::impression_of(row(page, 41, 70));
    made.ip = "2001:DB8:0:0::7";
    page.rows.push_back(tests::row_of(made));
    made = tests::impression_of(row(page, 42, 71));
    made.ip.reset();
    made.profile.reset();
    made.extra = R"({"profile":"777001x","ip":["2001:db8::7"]})";
    page.rows.push_back(tests::row_of(made));
    made.id = 43;
    made.extra = R"({"profile":777001.0})";
    page.rows.push_back(tests::row_of(made));
    made.id = 44;
    made.extra = R"({"profile":"777001x","ip":"2001:db8::8"})";
    page.rows.push_back(tests::row_of(made));
    scene.read(std::move(page), noon_window(60, 120));
    CHECK(erase(scene.file, {by_address("2001:db8::7")}).rows == 2);
    CHECK(scene.asked("SELECT count(*) FROM impressions WHERE id IN (41, 42)") == "0");
    CHECK(erase(scene.file, {by_profile()}).rows == 4);
    CHECK(scene.asked("SELECT group_concat(id) FROM impressions WHERE id > 40") == "44");
}

TEST_CASE("erase: a field that an API adds is found at any depth and in any spelling") {
    const ErasureRule by_id = by_profile();
    for (const char* const record :
         {R"({"profile":777001})", R"({"profile":"777001"})", R"({"profile":"00777001"})",
          R"({"profile":777001.0})", R"({"Profile":777001})", R"({"profileID":777001})",
          R"({"profile_id":777001})", R"({"profile":["1","777001"]})",
          R"({"extra":{"profile":777001}})", R"({"a":{"b":[1,{"profile":777001}]}})",
          R"([{"profile":777001}])"}) {
        CAPTURE(std::string(record));
        CHECK(matches_json(by_id, record));
    }
    for (const char* const record :
         {R"({"profile":7770010})", R"({"profile":"777001x"})", R"({"profiles":777001})",
          R"({"subprofile":777001})", R"({"id":777001})", R"({"profile":null})",
          R"({"profile":{"x":777001}})", R"("profile")", R"({"profile":777001)", ""}) {
        CAPTURE(std::string(record));
        CHECK_FALSE(matches_json(by_id, record));
    }
    const ErasureRule by_ip = by_address("203.0.113.99");
    for (const char* const record :
         {R"({"IP":"203.0.113.99"})", R"({"x":{"ip":"203.0.113.99"}})",
          R"({"ipAddress":"::ffff:203.0.113.99"})", R"({"ip":["203.0.113.99"]})"}) {
        CAPTURE(std::string(record));
        CHECK(matches_json(by_ip, record));
    }
    CHECK_FALSE(matches_json(by_ip, R"({"zip":"203.0.113.99","ip":1})"));
}

TEST_CASE("erase: rejects that name the person, and by age those that name nobody") {
    Scene scene;
    const auto with_rejects = [] {
        copernica::Page page = minute();
        page.rejects.push_back(reject(R"({"ID":"abc","profile":777001})", "2026-03-01 13:00:30"));
        page.rejects.push_back(page.rejects.back());
        page.rejects.push_back(reject(R"({"ID":5,"profile":"777001","timestamp":"soon"})"));
        page.rejects.push_back(reject(R"({"ID":"abd"})", "2026-03-01 13:00:31"));
        page.rejects.push_back(reject(R"(["777001"])"));
        return page;
    };
    scene.read(with_rejects());
    CHECK(scene.counted() == 25);
    CHECK(erase(scene.file, {by_profile()}).rejects == 2);
    CHECK(scene.asked("SELECT count(*) FROM rejects") == "2");
    CHECK(scene.counted() == 25);
    CHECK(scene.read(with_rejects()).rejected == 2);
    CHECK(scene.asked("SELECT count(*) FROM rejects") == "2");
    CHECK(scene.counted() == 25);
    CHECK(scene.asked(
              "SELECT value FROM mirror WHERE stream = 'impressions' AND key = 'rejects'") == "2");
    // One without a time may be as young as its window.
    CHECK(erase(scene.file, {by_age("2026-03-01 13:00:40")}).rejects == 1);
    CHECK(erase(scene.file, {by_age("2026-03-01 13:01:00")}).rejects == 1);
    CHECK(scene.read(with_rejects()).rejected == 0);
}

TEST_CASE("erase: what a row held before the API changed or lost it goes, too") {
    Scene scene;
    copernica::Page first;
    tests::Impression made = tests::impression_of(row(first, 41, 70, "Agent-of-the-past"));
    made.profile = person;
    first.rows.push_back(tests::row_of(made));
    first.rows.push_back(row(first, 42, 71, "Agent-of-the-pruned"));
    first.rows.push_back(row(first, 43, 72));
    scene.read(std::move(first), noon_window(60, 120));
    copernica::Page second;
    made = tests::impression_of(row(second, 41, 70, "Mozilla/5.0"));
    made.profile = person;
    second.rows.push_back(tests::row_of(made));
    second.rows.push_back(row(second, 43, 72));
    CHECK(scene.read(std::move(second), noon_window(60, 120)).removed == 1);
    const LocalTime begin = *parse_local("2026-03-01 13:01:00");
    CHECK(scene.file.writer(impressions).prune(begin, begin + Seconds(60)) == 1);
    CHECK(erase(scene.file, {by_profile()}).rows == 4);
    CHECK(scene.asked("SELECT group_concat(useragent) FROM user_agents") == "Mozilla/5.0");
    CHECK(occurrences(scene.directory.path(), "Agent-of-the-past") == 0);
    CHECK(occurrences(scene.directory.path(), "Agent-of-the-pruned") == 0);
}

TEST_CASE("erase --dry-run: counts, and changes nothing") {
    Scene scene;
    const std::string before = bytes_of(scene.path.string() + "-wal").value_or("");
    const auto found = count_erasure(scene.path, Zone("Europe/Amsterdam"), request({by_profile()}));
    REQUIRE(found.size() == streams().size());
    CHECK(found.front().rows == 3);
    CHECK(found.back().rows == 0);
    CHECK(bytes_of(scene.path.string() + "-wal") == before);
    CHECK(scene.asked("SELECT count(*) FROM impressions") == "20");
}

TEST_CASE("erase: the file is locked: nothing has begun") {
    Scene scene;
    FileLock lock(scene.path);
    REQUIRE(lock.try_lock(FileLock::Part::write));
    CHECK_THROWS_AS(scene.file.eraser().begin(request({by_profile()})), DatabaseError);
    lock.unlock(FileLock::Part::write);
    CHECK(scene.asked("SELECT count(*) FROM erasures") == "0");
    CHECK(scene.asked("SELECT count(*) FROM impressions") == "20");
}

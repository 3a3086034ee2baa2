// What `erase` does to a file, and what re-reads do after it.
#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "storage/eraser.hpp"
#include "tests/support/impression.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;

namespace {

constexpr std::int64_t person = 777001;
constexpr std::string_view address = "198.51.100.77";
constexpr std::string_view agent = "CanaryBrowser/9.9 (only one has it)";

ErasureRule by(ErasureRule::Kind kind, std::int64_t id) {
    ErasureRule rule;
    rule.kind = kind;
    rule.id = id;
    return rule;
}

ErasureRule by_profile(std::int64_t id = person) {
    return by(ErasureRule::Kind::profile, id);
}

ErasureRule by_address(std::string_view text) {
    ErasureRule rule;
    rule.kind = ErasureRule::Kind::ip;
    rule.address = *read_ip_address(text);
    return rule;
}

ErasureRule by_age(const std::string& before) {
    ErasureRule rule;
    rule.kind = ErasureRule::Kind::before;
    rule.before = *parse_local(before);
    return rule;
}

ErasureRequest request(std::vector<ErasureRule> rules) {
    ErasureRequest made;
    for (const Stream& stream : streams()) {
        made.streams.push_back(&stream);
    }
    made.rules = std::move(rules);
    return made;
}

ErasedOfStream erase(MirrorFile& file, std::vector<ErasureRule> rules) {
    Eraser eraser = file.eraser();
    eraser.begin(request(std::move(rules)));
    const auto erased = eraser.finish(noon(500), [] { return noon(501); });
    REQUIRE(eraser.clean(std::chrono::milliseconds(100)));
    return erased.front();
}

// A row of the person.
Row persons(copernica::Page& page, std::int64_t id, std::int64_t offset) {
    tests::Impression made = tests::impression_of(row(page, id, offset, agent));
    made.profile = person;
    made.ip = address;
    return tests::row_of(made);
}

// Rows 1 to 20 of a minute, of which the third, the seventh and the twelfth are the person's.
copernica::Page minute() {
    copernica::Page page = rows(1, 20);
    for (const std::size_t place : {2U, 6U, 11U}) {
        page.rows[place] = persons(page, page.rows[place].id, static_cast<std::int64_t>(place));
    }
    return page;
}

struct Scene {
    Scene() { read(minute()); }

    sync::Written read(copernica::Page page, Window window = noon_window(0, 60)) {
        return read_with(file, std::move(page), window);
    }
    static sync::Written read_with(MirrorFile& with, copernica::Page page,
                                   Window window = noon_window(0, 60)) {
        return with.writer(impressions)
            .commit(whole(window, std::move(page)), noon(600), at(noon(600)));
    }
    std::string asked(const std::string& query) const { return ask(path, query); }
    std::uint64_t counted() {
        return file.reader(impressions)
            .count(*parse_local("2026-03-01 13:00:00"), *parse_local("2026-03-01 13:00:59"));
    }
    std::size_t differences(copernica::Page page) {
        return file.reader(impressions).compare(whole(noon_window(0, 60), std::move(page))).size();
    }

    TemporaryDirectory directory;
    std::filesystem::path path = directory / "m.db";
    MirrorFile file{options_for(path), noon()};
};

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
    scene.read(std::move(page), noon_window(60, 120));
    CHECK(erase(scene.file, {by_address("2001:db8::7")}).rows == 1);
    CHECK(scene.asked("SELECT count(*) FROM impressions WHERE id = 41") == "0");
    CHECK(erase(scene.file, {by_profile()}).rows == 4);
    CHECK(scene.asked("SELECT group_concat(id) FROM impressions WHERE id > 40") == "42");
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

TEST_CASE("erase: the file is locked: nothing has begun") {
    Scene scene;
    FileLock lock(scene.path);
    REQUIRE(lock.try_lock(FileLock::Part::write));
    CHECK_THROWS_AS(scene.file.eraser().begin(request({by_profile()})), DatabaseError);
    lock.unlock(FileLock::Part::write);
    CHECK(scene.asked("SELECT count(*) FROM erasures") == "0");
    CHECK(scene.asked("SELECT count(*) FROM impressions") == "20");
}

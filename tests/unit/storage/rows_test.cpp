// Upserts: what is counted, what is written, and that every byte is kept.
#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "tests/support/impression.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;

namespace {

std::uintmax_t log_size(const std::filesystem::path& file) {
    return std::filesystem::file_size(file.string() + "-wal");
}

// The numbers of the database's pages that are in the log (https://sqlite.org/fileformat2.html,
// section 4): 32 bytes of header, then for each page 24 bytes that begin with its number.
std::set<std::string> pages_in_log(const std::filesystem::path& file) {
    const std::string log = bytes_of(file.string() + "-wal").value_or("");
    constexpr std::size_t header = 32;
    constexpr std::size_t frame = 24 + 4096;
    std::set<std::string> pages;
    for (std::size_t at = header; at + frame <= log.size(); at += frame) {
        std::uint32_t number = 0;
        for (std::size_t byte = 0; byte < sizeof number; ++byte) {
            number = number << 8U | static_cast<unsigned char>(log[at + byte]);
        }
        pages.insert(std::to_string(number));
    }
    return pages;
}

}  // namespace

TEST_CASE("inserted, updated and unchanged rows are counted apart") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());

    // 47: two full statements and seven single rows.
    auto written = file.writer(impressions)
                       .commit(whole(noon_window(0, 60), rows(1, 47)), noon(60), at(noon(61)));
    CHECK(written.inserted == 47);
    CHECK(written.updated == 0);
    CHECK(written.unchanged == 0);

    copernica::Page again = rows(1, 50);
    again.rows[3].integers[tests::slot::profile] = std::nullopt;
    again.rows[30].entries[tests::slot::agent].first = again.texts.keep("changed");
    written = file.writer(impressions)
                  .commit(whole(noon_window(0, 60), std::move(again)), noon(70), at(noon(71)));
    CHECK(written.inserted == 3);
    CHECK(written.updated == 2);
    CHECK(written.unchanged == 45);

    CHECK(file.reader(impressions).fact("rows") == "50");
    CHECK(ask(path, "SELECT count(*) FROM impressions") == "50");
    CHECK(ask(path, "SELECT useragent FROM impressions WHERE id = 31") == "changed");
    CHECK(ask(path, "SELECT profile FROM impressions WHERE id = 4") == "NULL");
    CHECK(ask(path, "SELECT group_concat(id) FROM impressions WHERE changed_at = " +
                        std::to_string(noon(71).time_since_epoch().count())) == "4,31,48,49,50");
    CHECK(ask(path, "SELECT count(DISTINCT first_seen) FROM impressions") == "2");
}

TEST_CASE("the same row twice in one transaction is one row") {
    TemporaryDirectory directory;
    MirrorFile file(options_for(directory / "m.db"), noon());
    copernica::Page page = rows(1, 2);
    page.rows.push_back(page.rows.front());
    const auto written =
        file.writer(impressions)
            .commit(whole(noon_window(0, 9), std::move(page)), noon(9), at(noon()));
    CHECK(written.inserted == 2);
    CHECK(written.unchanged == 1);
}

TEST_CASE("rows are found among many others, in whatever order they come" *
          doctest::test_suite("long")) {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    file.writer(impressions)
        .commit(whole(noon_window(0, 5000), rows(1, 5000)), noon(5000), at(noon(5000)));
    std::mt19937 random(3);
    // From every one to few and far between, so that a look-up has others to pass by.
    for (const std::int64_t step : {1, 2, 9, 10, 11, 400}) {
        CAPTURE(step);
        copernica::Page page;
        std::uint64_t changed = 0;
        std::uint64_t fresh = 0;
        for (std::int64_t id = 3; id <= 6000; id += step) {
            page.rows.push_back(row(page, id, id - 1));
            if (id > 5000) {
                page.rows.back().integers[tests::slot::destination] = 1000 + step;
                ask(path, "SELECT 1 FROM impression_rows WHERE id = " + std::to_string(id)) == "1"
                    ? ++changed
                    : ++fresh;
            } else if (id % 5 == 0) {
                page.rows.back().integers[tests::slot::destination] = 1000 + step;
                ++changed;
            }
        }
        const std::uint64_t all = page.rows.size();
        std::shuffle(page.rows.begin(), page.rows.end(), random);
        const auto written = file.writer(impressions)
                                 .commit(whole(noon_window(7000, 7001), std::move(page)),
                                         noon(7001), at(noon(7001)));
        CHECK(written.inserted == fresh);
        CHECK(written.updated >= changed);
        CHECK(written.inserted + written.updated + written.unchanged == all);
        CHECK(ask(path, "SELECT count(*) FROM impressions WHERE destination = " +
                            std::to_string(1000 + step)) == std::to_string(changed + fresh));
    }
    CHECK(file.reader(impressions).fact("rows") ==
          ask(path, "SELECT count(*) FROM impression_rows"));
}

TEST_CASE("somebody's own triggers on the rows do what they say") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    { MirrorFile made(options_for(path), noon()); }
    SUBCASE("one that keeps each profile once") {
        meddle(path,
               "CREATE TABLE openers (profile INTEGER PRIMARY KEY);"
               "CREATE TRIGGER own AFTER INSERT ON impression_rows BEGIN "
               "INSERT OR IGNORE INTO openers VALUES (new.profile); END");
        MirrorFile file(options_for(path), noon());
        const auto written =
            file.writer(impressions)
                .commit(whole(noon_window(0, 60), rows(1, 47)), noon(60), at(noon(60)));
        CHECK(written.inserted == 47);
        CHECK(ask(path, "SELECT count(*) FROM openers") == "1");
    }
    SUBCASE("one that keeps rows out") {
        meddle(path,
               "CREATE TRIGGER own BEFORE INSERT ON impression_rows WHEN new.id % 2 = 0 BEGIN "
               "SELECT RAISE(IGNORE); END");
        MirrorFile file(options_for(path), noon());
        const auto written =
            file.writer(impressions)
                .commit(whole(noon_window(0, 60), rows(1, 47)), noon(60), at(noon(60)));
        CHECK(written.inserted == 24);
        CHECK(file.reader(impressions).fact("rows") == "24");
    }
    SUBCASE("one that keeps rows as they are") {
        MirrorFile file(options_for(path), noon());
        file.writer(impressions)
            .commit(whole(noon_window(0, 60), rows(1, 47)), noon(60), at(noon(60)));
        file.writer(impressions)
            .commit(whole(noon_window(0, 60), rows(1, 45)), noon(60), at(noon(60)));
        REQUIRE(file.reader(impressions).fact("removed") == "2");
        meddle(path,
               "CREATE TRIGGER own BEFORE UPDATE ON impression_rows BEGIN "
               "SELECT RAISE(IGNORE); END");
        // Two that are back, then two more that are gone: neither is written.
        const auto back =
            file.writer(impressions)
                .commit(whole(noon_window(0, 60), rows(1, 47)), noon(60), at(noon(60)));
        CHECK(back.updated == 0);
        CHECK(file.reader(impressions).fact("removed") == "2");
        const auto gone =
            file.writer(impressions)
                .commit(whole(noon_window(0, 60), rows(1, 43)), noon(60), at(noon(60)));
        CHECK(gone.removed == 0);
        CHECK(file.reader(impressions).fact("removed") == "2");
    }
}

TEST_CASE("nothing new writes no page of rows, and an idle poll a page or two") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    file.writer(impressions)
        .commit(whole(noon_window(0, 2000), rows(1, 2000)), noon(2000), at(noon(2000)));
    meddle(path, "PRAGMA wal_checkpoint(TRUNCATE)");
    REQUIRE(log_size(path) == 0);

    SUBCASE("covered already: nothing at all") {
        const auto written =
            file.writer(impressions)
                .commit(whole(noon_window(0, 2000), rows(1, 2000)), noon(2000), at(noon(2000)));
        CHECK(written.unchanged == 2000);
        CHECK(log_size(path) == 0);
    }
    SUBCASE("a poll: the mark, the last success, the run") {
        const auto poll = [&](std::int64_t now) {
            file.writer(impressions)
                .commit(whole(noon_window(now - 180, now), copernica::Page{}), noon(now),
                        at(noon(now + 1)));
            file.writer(impressions).set_fact("last_success", std::to_string(now));
            sync::RunRecord run;
            run.kind = "run";
            run.outcome = "running";
            file.writer(impressions).record_run(run, noon(now));
        };
        poll(2060);
        meddle(path, "PRAGMA wal_checkpoint(TRUNCATE)");
        poll(2120);
        CHECK(log_size(path) <= 16'000);
        CHECK(file.reader(impressions).coverage(0) == WindowSet(noon_window(0, 2120)));
    }
}

TEST_CASE("reading again what has not changed writes coverage, and no page of rows") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    file.writer(impressions)
        .commit(whole(noon_window(0, 2000), rows(1, 2000)), noon(2000), at(noon(2000)));
    const auto row_pages_written = [&](std::int64_t last, const plan::AgedWindow& aged) {
        meddle(path, "PRAGMA wal_checkpoint(TRUNCATE)");
        auto windows = whole(noon_window(0, 2000), rows(1, last));
        windows.front().aged = {aged};
        file.writer(impressions).commit(windows, noon(9000), at(noon(9000)));
        std::size_t of_rows = 0;
        const std::set<std::string> written = pages_in_log(path);
        CHECK_FALSE(written.empty());
        for (const std::string& page : written) {
            of_rows += ask(path,
                           "SELECT count(*) FROM dbstat WHERE name LIKE 'impression_rows%' "
                           "AND pageno = " +
                               page) == "0"
                           ? 0
                           : 1;
        }
        return of_rows;
    };
    CHECK(row_pages_written(2000, {Seconds(900), noon_window(0, 2000)}) == 0);
    // A row that is gone has to be marked: the pages of rows are seen where they are written.
    CHECK(row_pages_written(1999, {Seconds(86400), noon_window(0, 1000)}) > 0);
}

TEST_CASE("texts are kept whole, whatever is in them") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    using namespace std::string_literals;
    const std::vector<std::string> agents{"a\0b"s,
                                          "a"s,
                                          ""s,
                                          "\0"s,
                                          std::string(4096, 'x') + "\0y"s,
                                          "\xF0\x9F\x93\xA7 mail"s,
                                          "'; DROP TABLE impression_rows; --"s,
                                          "\x1b[31mred"s};
    copernica::Page page;
    std::int64_t id = std::int64_t{1} << 40;
    for (const std::string& agent : agents) {
        page.rows.push_back(row(page, id, 0, agent));
        page.rows.back().extra = page.texts.keep(agent);
        ++id;
    }
    file.writer(impressions)
        .commit(whole(noon_window(0, 1), std::move(page)), noon(1), at(noon(1)));
    CHECK(ask(path, "SELECT count(*) FROM user_agents") == std::to_string(agents.size()));
    id = std::int64_t{1} << 40;
    for (const std::string& agent : agents) {
        const std::string where = " FROM impressions WHERE id = " + std::to_string(id++);
        CHECK(ask(path, "SELECT useragent" + where) == agent);
        CHECK(ask(path, "SELECT extra" + where) == agent);
        CHECK(ask(path, "SELECT typeof(useragent) || typeof(mailing) || typeof(subprofile)" +
                            where) == "textintegernull");
    }
}

TEST_CASE("user agents are kept once, absent values too") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    const auto store = [&](std::int64_t first) {
        copernica::Page page;
        std::int64_t id = first;
        for (const char* agent : {"", "0", "A", static_cast<const char*>(nullptr)}) {
            for (const char* device : {"", "0", "A", static_cast<const char*>(nullptr)}) {
                Row made = row(page, id++);
                Entry& entry = made.entries[tests::slot::agent];
                entry.first = agent ? std::optional<std::string_view>(agent) : std::nullopt;
                entry.second = device ? std::optional<std::string_view>(device) : std::nullopt;
                page.rows.push_back(made);
            }
        }
        file.writer(impressions)
            .commit(whole(noon_window(0, 1), std::move(page)), noon(1), at(noon(1)));
    };
    store(1);
    store(101);
    CHECK(ask(path, "SELECT count(*) FROM user_agents") == "15");
    CHECK(ask(path, "SELECT user_agent FROM impression_rows WHERE id = 16") == "NULL");
    CHECK(ask(path,
              "SELECT count(*) FROM impressions a JOIN impressions b ON b.id = a.id + 100 "
              "WHERE a.useragent IS b.useragent AND a.device IS b.device") == "16");
    // Another process finds what this one stored.
    MirrorFile other(options_for(path), noon());
    copernica::Page page = rows(201, 201);
    page.rows[0].entries[tests::slot::agent] = {"A", std::nullopt};
    other.writer(impressions)
        .commit(whole(noon_window(0, 1), std::move(page)), noon(1), at(noon(1)));
    CHECK(ask(path, "SELECT count(*) FROM user_agents") == "15");
}

TEST_CASE("more user agents than the memory holds") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    for (int round = 0; round < 2; ++round) {
        copernica::Page page;
        for (std::int64_t id = 1; id <= 6000; ++id) {
            page.rows.push_back(
                row(page, id, 0, std::string(300, 'u') + std::to_string(id % 3000)));
        }
        const auto written =
            file.writer(impressions)
                .commit(whole(noon_window(0, 1), std::move(page)), noon(1), at(noon(1)));
        CHECK(written.inserted == (round == 0 ? 6000 : 0));
        CHECK(written.updated == 0);
    }
    CHECK(ask(path, "SELECT count(*) FROM user_agents") == "3000");
}

TEST_CASE("changed_at never goes back, whatever the clock does") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    {
        MirrorFile file(options_for(path), noon());
        file.writer(impressions)
            .commit(whole(noon_window(0, 9), rows(1, 1)), noon(9), at(noon(7200)));
    }
    MirrorFile file(options_for(path), noon());
    file.writer(impressions).commit(whole(noon_window(0, 9), rows(1, 2)), noon(9), at(noon(10)));
    CHECK(ask(path, "SELECT count(DISTINCT changed_at) FROM impressions") == "1");
    CHECK(ask(path, "SELECT first_seen FROM impressions WHERE id = 2") ==
          std::to_string(noon(10).time_since_epoch().count()));
}

TEST_CASE("a removed row that is back is an updated one, and counted again") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    file.writer(impressions).commit(whole(noon_window(0, 60), rows(1, 50)), noon(60), at(noon(60)));
    meddle(path,
           "UPDATE impression_rows SET removed_at = 1 WHERE id IN (2, 20, 45);"
           "UPDATE mirror SET value = '3' WHERE key = 'removed'");
    const LocalTime begin = *parse_local("2026-03-01 13:00:00");
    CHECK(file.reader(impressions).count(begin, begin + Seconds(60)) == 47);
    CHECK(file.reader(impressions).newest_rows(begin + Seconds(2))->time == begin);

    const auto written =
        file.writer(impressions)
            .commit(whole(noon_window(0, 60), rows(1, 44)), noon(70), at(noon(70)));
    CHECK(written.updated == 2);
    CHECK(written.unchanged == 42);
    CHECK(written.removed == 5);  // 46 to 50; 45 was known to be removed
    CHECK(file.reader(impressions).fact("removed") == "6");
    CHECK(file.reader(impressions).fact("rows") == "50");
    CHECK(file.reader(impressions).count(begin, begin + Seconds(60)) == 44);
}

TEST_CASE("counts are of both ends, and of rejects too") {
    TemporaryDirectory directory;
    MirrorFile file(options_for(directory / "m.db"), noon());
    copernica::Page page = rows(1, 10);
    page.rows.push_back(row(page, 11, 9));
    page.rejects.push_back(reject("{\"a\":1}", "2026-03-01 13:00:04"));
    page.rejects.push_back(reject("{\"b\":1}"));
    file.writer(impressions)
        .commit(whole(noon_window(0, 10), std::move(page)), noon(10), at(noon(10)));
    const LocalTime begin = *parse_local("2026-03-01 13:00:00");
    CHECK(file.reader(impressions).count(begin, begin + Seconds(9)) == 13);
    CHECK(file.reader(impressions).count(begin, begin) ==
          2);  // the reject without a time, where its window begins
    CHECK(file.reader(impressions).count(begin + Seconds(1), begin + Seconds(3)) == 3);
    CHECK(file.reader(impressions).count(begin + Seconds(4), begin + Seconds(4)) == 2);
    CHECK_FALSE(file.reader(impressions).newest_rows(begin).has_value());
    const auto newest = file.reader(impressions).newest_rows(begin + Seconds(100));
    REQUIRE(newest.has_value());
    CHECK(newest->time == begin + Seconds(9));
    CHECK(newest->rows == 2);
}

TEST_CASE("the newest rows as a sample, without those that were removed") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    file.writer(impressions).commit(whole(noon_window(0, 60), rows(1, 50)), noon(60), at(noon(60)));
    meddle(path, "UPDATE impression_rows SET removed_at = 1 WHERE id = 49");
    const LocalTime begin = *parse_local("2026-03-01 13:00:00");
    const auto sample = file.reader(impressions).newest_sample(begin + Seconds(49), 3);
    REQUIRE(sample.size() == 3);
    for (std::size_t i = 0; i < sample.size(); ++i) {
        CHECK(std::to_string(sample[i].id) ==
              ask(path,
                  "SELECT id FROM impressions WHERE removed_at IS NULL AND timestamp < '2026-03-01 "
                  "13:00:49' ORDER BY timestamp DESC LIMIT 1 OFFSET " +
                      std::to_string(i)));
        CHECK(sample[i].mailing.has_value());
    }
    CHECK(file.reader(impressions).newest_sample(begin, 3).empty());
}

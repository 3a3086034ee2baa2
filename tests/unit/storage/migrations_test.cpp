#include "storage/migrations.hpp"

#include <string>
#include <vector>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <doctest/doctest.h>

#include "storage/status_reader.hpp"
#include "tests/support/old_mirror.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;

namespace {

// Every table, view, index and column.
std::string schema_of(const std::filesystem::path& path) {
    return ask(path,
               "SELECT group_concat(x, ' ') FROM (SELECT m.name || '.' || ifnull(c.name, '') AS x "
               "FROM sqlite_schema AS m LEFT JOIN pragma_table_info(m.name) AS c "
               "WHERE m.name NOT IN ('mine', 'broken', 'scores') ORDER BY 1)");
}

// All that a file of version 3 has of a table.
std::string all_of(const std::filesystem::path& path, const std::string& columns,
                   const std::string& table) {
    return ask(path, "SELECT group_concat(x, ';') FROM (SELECT " + columns + " AS x FROM " + table +
                         " ORDER BY 1)");
}

}  // namespace

TEST_CASE("a file of version 1 or 2 becomes one of today, also under a reader") {
    for (const int version : {1, 2}) {
        CAPTURE(version);
        TemporaryDirectory directory;
        const auto path = directory / "m.db";
        const auto fresh = directory / "fresh.db";
        make_mirror(fresh);
        test::make_old_mirror(path, version);
        StatusOptions options;
        options.path = path;
        const FileStatus before = read_status(options);

        SQLite::Database reader(path.string(), SQLite::OPEN_READONLY);
        reader.exec("BEGIN");
        CHECK(reader.execAndGet("SELECT count(*) FROM impressions").getInt() == 20);
        {
            MirrorFile file(options_for(path), noon());
            file.writer(impressions).claim_account("34", "Development", {});
        }
        CHECK(reader.execAndGet("SELECT count(*) FROM coverage WHERE age = 900").getInt() == 1);
        reader.exec("COMMIT");

        CHECK(ask(path, "PRAGMA user_version") == std::to_string(schema_version));
        CHECK(ask(path, "PRAGMA integrity_check") == "ok");
        CHECK(schema_of(path) == schema_of(fresh));
        CHECK(all_of(path, "stream || ' ' || age || ' ' || local_end", "coverage") ==
              "impressions 0 2026-03-01 13:01:00;impressions 900 2026-03-01 13:00:30");
        CHECK(all_of(path, "stream || ' ' || copies || ' ' || record", "rejects") ==
              (version == 1 ? R"(impressions 1 {"ID":null};impressions 1 {})"
                            : R"(impressions 1 {};impressions 3 {"ID":null})"));
        CHECK(all_of(path, "stream || ' ' || seconds || ' ' || rows", "lateness") ==
              "impressions 130 1;impressions 61 2");
        CHECK(all_of(path, "stream || ' ' || id || ' ' || outcome", "runs") ==
              "impressions 1 done;impressions 2 running");
        CHECK(ask(path, "SELECT count(*) FROM mirror WHERE stream = ''") == "7");
        CHECK(ask(path, "SELECT value FROM mirror WHERE stream = 'impressions' AND key = 'rows'") ==
              "20");
        CHECK(ask(path, "SELECT count(*) FROM impressions WHERE useragent = 'Mozilla/5.0'") ==
              "10");
        CHECK(ask(path, "SELECT count(*) FROM mine") == "20");
        CHECK(ask(path, "SELECT count(*) FROM clicks") == "0");

        // A reader saw the same before the migration.
        const FileStatus after = read_status(options);
        CHECK(before.account->name == after.account->name);
        CHECK(before.time_zone == after.time_zone);
        CHECK(before.server_clock_offset == after.server_clock_offset);
        const StreamStatus& old = before.of(impressions);
        const StreamStatus& now = after.of(impressions);
        CHECK(old.coverage == now.coverage);
        CHECK(old.rows == now.rows);
        CHECK(old.removed == now.removed);
        CHECK(old.rejects == now.rejects);
        CHECK(old.facts == now.facts);
        CHECK(old.lateness->rows == now.lateness->rows);
        CHECK(old.runs.size() == now.runs.size());
        CHECK(old.runs.front().run.unread == now.runs.front().run.unread);
        CHECK(now.doubts.empty());
        CHECK(before.of(*find_stream("clicks")).facts.empty());
    }
}

TEST_CASE("a file is not migrated while a table or view of its user has a name that is needed") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    test::make_old_mirror(path, 2);
    meddle(path, "CREATE VIEW Mailings AS SELECT DISTINCT mailing FROM impressions");
    CHECK(refusal(path) == DatabaseErrorKind::foreign);
    CHECK(ask(path, "PRAGMA user_version") == "2");
    CHECK(ask(path, "SELECT count(*) FROM mailings") == "3");
    meddle(path, "DROP VIEW Mailings");
    const MirrorFile file(options_for(path), noon());
    CHECK(ask(path, "SELECT count(*) FROM mailings") == "0");
}

TEST_CASE("migrations run in order and in one transaction, and leave what is not ours") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    make_mirror(path);
    meddle(path, "CREATE VIEW mine AS SELECT mailing, useragent FROM impressions");
    SQLite::Database sql(path.string(), SQLite::OPEN_READWRITE);
    const std::vector<Migration> steps{
        {schema_version + 1, "ALTER TABLE impression_rows ADD COLUMN score INTEGER"},
        {schema_version + 2, "CREATE TABLE scores (x INTEGER)"}};
    migrate(sql, schema_version, steps);
    const std::string newest = std::to_string(schema_version + 2);
    CHECK(ask(path, "PRAGMA user_version") == newest);
    CHECK(ask(path, "SELECT count(*) FROM mine") == "50");
    CHECK(ask(path, "SELECT count(score) FROM impression_rows") == "0");

    const std::vector<Migration> broken{{schema_version + 3, "CREATE TABLE more (x)"},
                                        {schema_version + 4, "CREATE nonsense"}};
    CHECK_THROWS_AS(migrate(sql, schema_version + 2, broken), SQLite::Exception);
    CHECK(ask(path, "PRAGMA user_version") == newest);
    CHECK(ask(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'more'") == "0");
    CHECK(ask(path, "SELECT count(*) FROM impressions") == "50");
}

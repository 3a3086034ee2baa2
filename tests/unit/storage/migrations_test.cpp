#include "storage/migrations.hpp"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <doctest/doctest.h>

#include "storage/sql.hpp"
#include "storage/status_reader.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;

TEST_CASE("a file of an older version becomes one of today") {
    // Each undoes one step, down to version 1.
    const std::vector<std::string> steps_back{
        "DROP INDEX rejects_id; ALTER TABLE rejects DROP COLUMN id; DROP TABLE doubts;"
        "DROP TABLE requests;"
        "DROP VIEW covered_periods;"
        "CREATE VIEW covered_periods AS SELECT \"begin\", \"end\" FROM coverage;"
        "PRAGMA user_version = 2",
        "ALTER TABLE rejects DROP COLUMN copies; PRAGMA user_version = 1"};
    const std::string schema =
        "SELECT group_concat(x, ' ') FROM (SELECT m.name || '.' || ifnull(c.name, '') AS x "
        "FROM sqlite_schema AS m LEFT JOIN pragma_table_info(m.name) AS c ORDER BY 1)";
    for (std::size_t back = 1; back <= steps_back.size(); ++back) {
        CAPTURE(back);
        TemporaryDirectory directory;
        const auto path = directory / "m.db";
        {
            MirrorFile file(options_for(path), noon());
            copernica::Page page;
            page.rejects.push_back(reject("a", "2026-03-01 13:00:10"));
            file.writer().commit(whole(noon_window(0, 60), std::move(page)), noon(60),
                                 at(noon(60)));
        }
        const std::string today = ask(path, schema);
        for (std::size_t step = 0; step < back; ++step) {
            meddle(path, steps_back[step]);
        }
        CHECK(ask(path, schema) != today);
        StatusOptions before;
        before.path = path;
        CHECK(read_status(before).doubts.empty());
        MirrorFile file(options_for(path), noon());
        CHECK(ask(path, "PRAGMA user_version") == std::to_string(schema_version));
        CHECK(ask(path, schema) == today);
        CHECK(ask(path, "SELECT copies FROM rejects") == "1");
        CHECK(ask(path, "SELECT count(age) FROM covered_periods") == "1");
        CHECK(ask(path, "SELECT count(*) FROM impressions") == "0");
    }
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
    migrate(sql, schema_version, steps, sql::views);
    const std::string newest = std::to_string(schema_version + 2);
    CHECK(ask(path, "PRAGMA user_version") == newest);
    CHECK(ask(path, "SELECT count(*) FROM mine") == "50");
    CHECK(ask(path, "SELECT count(score) FROM impression_rows") == "0");

    const std::vector<Migration> broken{{schema_version + 3, "CREATE TABLE more (x)"},
                                        {schema_version + 4, "CREATE nonsense"}};
    CHECK_THROWS_AS(migrate(sql, schema_version + 2, broken, sql::views), SQLite::Exception);
    CHECK(ask(path, "PRAGMA user_version") == newest);
    CHECK(ask(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'more'") == "0");
    CHECK(ask(path, "SELECT count(*) FROM impressions") == "50");
}

// The file itself: how it is made, and what it keeps.
#include <filesystem>
#include <stdexcept>
#include <string>
#include <sys/stat.h>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <doctest/doctest.h>

#include "storage/migrations.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;

namespace {

mode_t mode_of(const std::filesystem::path& file) {
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("a new file") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    const mode_t before = ::umask(077);
    {
        MirrorFile file(options_for(path), noon());
        CHECK(mode_of(path) == 0640);
        CHECK(mode_of(path.string() + ".lock") == 0640);
        CHECK(mode_of(path.string() + "-wal") == 0640);
        CHECK(mode_of(path.string() + "-shm") == 0640);
    }
    ::umask(before);
    CHECK(std::filesystem::exists(path.string() + "-wal"));
    CHECK(std::filesystem::exists(path.string() + "-shm"));
    CHECK(ask(path, "PRAGMA application_id") == std::to_string(application_id));
    CHECK(ask(path, "PRAGMA user_version") == std::to_string(schema_version));
    CHECK(ask(path, "PRAGMA auto_vacuum") == "2");
    CHECK(ask(path, "PRAGMA journal_mode") == "wal");
    CHECK(ask(path, "PRAGMA integrity_check") == "ok");
    CHECK(ask(path, "SELECT group_concat(name) FROM pragma_table_info('impressions')") ==
          "id,mailing,timestamp,ip,useragent,device,destination,profile,subprofile,extra,"
          "first_seen,changed_at,removed_at");
    CHECK(ask(path, "SELECT group_concat(name) FROM pragma_table_info('covered_periods')") ==
          "stream,begin,end,local_begin,local_end,age");
    CHECK(ask(path, "SELECT value FROM mirror WHERE key = 'time_zone'") == "Europe/Amsterdam");
}

TEST_CASE("an empty file is a new one, and keeps its mode") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    write_bytes(path, "");
    ::chmod(path.c_str(), 0600);
    make_mirror(path);
    CHECK(mode_of(path) == 0600);
    CHECK(mode_of(path.string() + ".lock") == 0600);
    CHECK(ask(path, "SELECT count(*) FROM impressions") == "50");
}

TEST_CASE("optional indexes follow the configuration, others stay") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    const auto indexes = [&] {
        return ask(path,
                   "SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema WHERE "
                   "type = 'index' AND tbl_name = 'impression_rows' ORDER BY name)");
    };
    make_mirror(path);
    CHECK(indexes() == "impression_rows_mailing,impression_rows_removed,impression_rows_timestamp");
    meddle(path, "CREATE INDEX mine ON impression_rows (ip)");
    MirrorOptions options = options_for(path);
    options.indexes = {"changed_at", "profile"};
    {
        MirrorFile file(options, noon());
        file.writer(impressions).claim_account("34", "Development", {});
    }
    CHECK(indexes() ==
          "impression_rows_changed_at,impression_rows_profile,impression_rows_removed,"
          "impression_rows_timestamp,mine");
    options.indexes = {"ip"};
    CHECK_THROWS_AS(MirrorFile(options, noon()), std::invalid_argument);
}

TEST_CASE("days, mailings and counts are answered from indexes") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    make_mirror(path);
    const auto plan = [&](const std::string& query) {
        SQLite::Database sql(path.string(), SQLite::OPEN_READONLY);
        SQLite::Statement statement(sql, "EXPLAIN QUERY PLAN " + query);
        statement.executeStep();
        return statement.getColumn(3).getString();
    };
    CHECK(plan("SELECT mailing, count(*) FROM impressions GROUP BY mailing").find("COVERING") !=
          std::string::npos);
    CHECK(plan("SELECT substr(timestamp, 1, 10), count(*) FROM impressions GROUP BY 1")
              .find("COVERING") != std::string::npos);
    CHECK(plan("SELECT count(*) FROM impressions").find("COVERING") != std::string::npos);
}

TEST_CASE("the account's name may change, and claiming again writes nothing") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    make_mirror(path);
    MirrorFile file(options_for(path), noon());
    const auto before = bytes_of(path.string() + "-wal");
    file.writer(impressions).claim_account("34", "Development", {});
    CHECK(bytes_of(path.string() + "-wal") == before);
    file.writer(impressions).claim_account("34", "Production", {});
    CHECK(ask(path, "SELECT value FROM mirror WHERE key = 'account_name'") == "Production");
}

TEST_CASE("requests are counted by UTC day, within a limit, for a year") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    MirrorFile other(options_for(path), noon());
    CHECK(file.writer(impressions).spend_requests(noon(), 5, 0).total == 5);
    CHECK(other.writer(impressions).spend_requests(noon(), 5, 8).granted == 3);
    CHECK(file.writer(impressions).spend_requests(noon(), 5, 8).granted == 0);
    CHECK(file.writer(impressions).spend_requests(noon(), 1, 4).granted ==
          0);  // a limit that was lowered
    CHECK(other.writer(impressions).spend_requests(noon(), -2, 8).total == 6);
    CHECK(file.writer(impressions).spend_requests(noon(), 5, 8).granted == 2);
    // Nothing to give back.
    CHECK(file.writer(impressions).spend_requests(noon(24 * 3600), -2, 8).granted == 0);
    CHECK(file.writer(impressions).spend_requests(noon(24 * 3600), 1, 8).granted == 1);
    CHECK(ask(path, "SELECT count(*) FROM requests") == "2");
    CHECK(file.writer(impressions).spend_requests(noon(367 * 24 * 3600), 1, 8).total == 1);
    CHECK(ask(path, "SELECT count(*) FROM requests") == "2");
}

// The file itself: how it is made, what is refused, who may read it when.
#include <csignal>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <doctest/doctest.h>

#include "storage/errors.hpp"
#include "storage/migrations.hpp"
#include "storage/sql.hpp"
#include "storage/sqlite/errors.hpp"
#include "storage/status_reader.hpp"
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

// The kind of DatabaseError that opening gives; its text must name the file.
DatabaseErrorKind refusal(const std::filesystem::path& path) {
    try {
        MirrorFile file(options_for(path), noon());
    } catch (const DatabaseError& error) {
        CHECK_MESSAGE(std::string(error.what()).find(path.filename().string()) != std::string::npos,
                      error.what());
        return error.kind();
    }
    FAIL("opened");
    return DatabaseErrorKind::io;
}

void make_mirror(const std::filesystem::path& path) {
    MirrorFile file(options_for(path), noon());
    file.writer().claim_account("34", "Development");
    file.writer().commit(whole(noon_window(0, 60), rows(1, 50)), noon(60), at(noon(60)));
}

// In a child, as nobody where we are root: 0 when the status could be read and counts `rows`.
int read_as_nobody(const std::filesystem::path& path, std::uint64_t rows) {
    const pid_t child = ::fork();
    if (child == 0) {
        if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) {
            ::_exit(3);
        }
        try {
            StatusOptions options;
            options.path = path;
            const bool right =
                read_status(options).rows == rows &&
                ask(path, "SELECT count(*) FROM impressions") == std::to_string(rows);
            ::_exit(right ? 0 : 1);
        } catch (const std::exception&) {
            ::_exit(2);
        }
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void let_others_only_read(const TemporaryDirectory& directory) {
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
        ::chmod(entry.path().c_str(), 0444);
    }
    ::chmod(directory.path().c_str(), 0555);
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
          "begin,end,local_begin,local_end,age");
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
        file.writer().claim_account("34", "Development");
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

TEST_CASE("what is not ours is refused and left byte for byte as it was") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    DatabaseErrorKind expected{};
    SUBCASE("not SQLite, short") {
        write_bytes(path, "hello");
        expected = DatabaseErrorKind::foreign;
    }
    SUBCASE("not SQLite, long") {
        write_bytes(path, std::string(10'000, 'x'));
        expected = DatabaseErrorKind::foreign;
    }
    SUBCASE("somebody's SQLite file") {
        meddle(path, "CREATE TABLE t (x); INSERT INTO t VALUES (1)");
        expected = DatabaseErrorKind::foreign;
    }
    SUBCASE("somebody's SQLite file with a log") {
        meddle(path, "PRAGMA journal_mode = WAL; CREATE TABLE t (x)");
        expected = DatabaseErrorKind::foreign;
    }
    SUBCASE("from a newer program") {
        make_mirror(path);
        meddle(path, "PRAGMA user_version = " + std::to_string(schema_version + 1));
        meddle(path, "PRAGMA wal_checkpoint(TRUNCATE)");
        std::filesystem::remove(path.string() + ".lock");
        expected = DatabaseErrorKind::newer;
    }
    const auto before = bytes_of(path);
    const bool had_log = std::filesystem::exists(path.string() + "-wal");
    CHECK(refusal(path) == expected);
    CHECK(bytes_of(path) == before);
    CHECK(std::filesystem::exists(path.string() + "-wal") == had_log);
    CHECK_FALSE(std::filesystem::exists(path.string() + ".lock"));
}

// What a power cut may leave of the transaction that makes a file: pages without the first, and the
// journal that undoes them.
TEST_CASE("a file that was being made when the power went is made anew") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    write_bytes(path, std::string(4096, '\0') + std::string(4096, 'x'));
    std::string journal("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8);
    journal +=
        std::string(4, '\0') + "nonc" + std::string(4, '\0');  // records, nonce, pages before
    journal += std::string("\0\0\2\0\0\0\x10\0", 8);           // sector, page
    journal.resize(512);
    SUBCASE("an empty file before") {
        write_bytes(path.string() + "-journal", journal);
        try {
            read_status({path, 20, std::chrono::milliseconds(20)});
            FAIL("read");
        } catch (const DatabaseError& error) {
            CHECK(std::string(error.what()).find("cut short") != std::string::npos);
        }
        make_mirror(path);
        CHECK(ask(path, "SELECT count(*) FROM impressions") == "50");
        CHECK(ask(path, "PRAGMA integrity_check") == "ok");
    }
    SUBCASE("a page before: it was somebody's") {
        journal[19] = 1;
        write_bytes(path.string() + "-journal", journal);
        const auto before = bytes_of(path);
        CHECK(refusal(path) == DatabaseErrorKind::foreign);
        CHECK(bytes_of(path) == before);
        CHECK(bytes_of(path.string() + "-journal") == journal);
    }
}

TEST_CASE("a newer version that is only in the log is refused, too") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    make_mirror(path);
    SQLite::Database newer(path.string(), SQLite::OPEN_READWRITE);
    newer.exec("PRAGMA wal_autocheckpoint = 0; PRAGMA user_version = " +
               std::to_string(schema_version + 1));
    const auto before = bytes_of(path);
    const auto log = bytes_of(path.string() + "-wal");
    CHECK(refusal(path) == DatabaseErrorKind::newer);
    CHECK(bytes_of(path) == before);
    CHECK(bytes_of(path.string() + "-wal") == log);
}

TEST_CASE("a damaged file is refused and left as it was") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    make_mirror(path);
    std::string bytes = bytes_of(path).value();
    SUBCASE("cut off") {
        bytes.resize(3 * 4096 + 17);
    }
    SUBCASE("the schema's page overwritten") {
        bytes.replace(100, 2000, std::string(2000, 'Z'));
    }
    write_bytes(path, bytes);
    CHECK(refusal(path) == DatabaseErrorKind::damaged);
    CHECK(bytes_of(path) == bytes);
}

TEST_CASE("a path that cannot be a database") {
    TemporaryDirectory directory;
    CHECK(refusal(directory.path() / "no" / "m.db") == DatabaseErrorKind::absent);
    std::filesystem::create_directory(directory / "d.db");
    CHECK(refusal(directory / "d.db") == DatabaseErrorKind::foreign);
    std::filesystem::create_symlink("nowhere", directory / "l.db");
    CHECK(refusal(directory / "l.db") == DatabaseErrorKind::absent);
}

TEST_CASE("a path where no file can be made is told with what to do first") {
    TemporaryDirectory directory;
    std::filesystem::create_symlink("nowhere.db", directory / "link.db");
    struct Row {
        std::filesystem::path path;
        const char* words;
    };
    const Row rows[] = {
        {directory / "missing" / "m.db", "mkdir -p"},
        {directory / "~" / "m.db", "write the whole path"},
        {directory / "link.db", "a link to nowhere.db"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.words);
        try {
            MirrorFile file(options_for(row.path), noon());
            FAIL("made");
        } catch (const DatabaseError& error) {
            const std::string text = error.what();
            CHECK(error.kind() == DatabaseErrorKind::absent);
            CHECK(text.find(row.words) != std::string::npos);
            CHECK(text.find("sync") == std::string::npos);
        }
    }
}

TEST_CASE("a file of another zone or account is refused and untouched") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    make_mirror(path);
    const auto before = bytes_of(path);
    MirrorOptions options = options_for(path);
    SUBCASE("zone") {
        options.zone = Zone("Europe/London");
        CHECK_THROWS_WITH_AS(MirrorFile(options, noon()),
                             doctest::Contains("local to Europe/Amsterdam"), OtherZone);
    }
    SUBCASE("account") {
        options.api_url = "https://elsewhere.example.com";
        options.indexes = {};
        MirrorFile file(options, noon());
        CHECK_THROWS_WITH_AS(file.writer().claim_account("35", "Other"),
                             doctest::Contains("belongs to account 34 (Development)"),
                             OtherAccount);
    }
    CHECK(bytes_of(path) == before);
    CHECK(std::filesystem::file_size(path.string() + "-wal") == 0);
}

TEST_CASE("the account's name may change, and claiming again writes nothing") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    make_mirror(path);
    MirrorFile file(options_for(path), noon());
    const auto before = bytes_of(path.string() + "-wal");
    file.writer().claim_account("34", "Development");
    CHECK(bytes_of(path.string() + "-wal") == before);
    file.writer().claim_account("34", "Production");
    CHECK(file.reader().fact("account_name") == "Production");
}

TEST_CASE("a file that another connection holds") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    const auto write = [&] {
        file.writer().commit(whole(noon_window(0, 60), rows(1, 5)), noon(60), at(noon(60)));
    };
    const auto kind = [&] {
        try {
            write();
        } catch (const DatabaseError& error) {
            return error.kind();
        }
        return DatabaseErrorKind::io;
    };
    {
        SQLite::Database other(path.string(), SQLite::OPEN_READWRITE);
        other.exec("BEGIN EXCLUSIVE");
        CHECK(kind() == DatabaseErrorKind::locked);
        CHECK(file.reader().count({}, LocalTime(Seconds(1) * 2'000'000'000)) == 0);
    }
    {
        FileLock other(path);
        REQUIRE(other.try_lock(FileLock::Part::write));
        CHECK(kind() == DatabaseErrorKind::locked);
        CHECK(refusal(path) == DatabaseErrorKind::locked);
    }
    write();
    CHECK(file.reader().fact("rows") == "5");
}

TEST_CASE("one run a file, beside any number of writers") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    make_mirror(path);
    {
        const RunLock lock(path);
        CHECK_THROWS_WITH_AS(RunLock{path}, doctest::Contains("another `copernica-mirror run`"),
                             DatabaseError);
        FileLock writer(path);
        CHECK(writer.try_lock(FileLock::Part::write));
    }
    const RunLock again(path);
    CHECK_THROWS_AS(RunLock{directory / "absent.db"}, DatabaseError);
}

TEST_CASE("a lock file that was deleted locks nothing") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    make_mirror(path);
    FileLock first(path);
    std::filesystem::remove(path.string() + ".lock");
    CHECK(first.try_lock(FileLock::Part::write));
    FileLock second(path);
    CHECK_FALSE(second.try_lock(FileLock::Part::write));
}

TEST_CASE("a file that was moved away while open is not written any more") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    std::filesystem::rename(path, directory / "elsewhere.db");
    try {
        file.writer().set_fact("key", "value");
        FAIL("written");
    } catch (const DatabaseError& error) {
        CHECK(error.kind() == DatabaseErrorKind::absent);
    }
}

TEST_CASE("a log that was deleted or replaced while open is noticed, and nothing is damaged") {
    for (const bool replaced : {false, true}) {
        CAPTURE(replaced);
        TemporaryDirectory directory;
        const auto path = directory / "m.db";
        const auto log = path.string() + "-wal";
        {
            MirrorFile file(options_for(path), noon());
            file.writer().set_fact("key", "before");
            std::filesystem::remove(log);
            if (replaced) {
                std::ofstream(log) << "";
            }
            try {
                file.writer().set_fact("key", "after");
                FAIL("written");
            } catch (const DatabaseError& error) {
                CHECK(error.kind() == DatabaseErrorKind::absent);
                CHECK(std::string(error.what()).find("-wal") != std::string::npos);
            }
        }
        const SQLite::Database sql(path.string(), SQLite::OPEN_READWRITE);
        SQLite::Statement check(sql, "PRAGMA integrity_check");
        REQUIRE(check.executeStep());
        CHECK(check.getColumn(0).getString() == "ok");
        if (!replaced) {
            // What was in the log came into the file when it was closed.
            SQLite::Statement fact(sql, "SELECT value FROM mirror WHERE key = 'key'");
            REQUIRE(fact.executeStep());
            CHECK(fact.getColumn(0).getString() == "before");
        }
    }
}

TEST_CASE("a reader without permission to write can always read") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    SUBCASE("after a clean end") {
        make_mirror(path);
        let_others_only_read(directory);
        CHECK(read_as_nobody(path, 50) == 0);
    }
    SUBCASE("while it is being written") {
        MirrorFile file(options_for(path), noon());
        file.writer().commit(whole(noon_window(0, 60), rows(1, 50)), noon(60), at(noon(60)));
        let_others_only_read(directory);
        CHECK(read_as_nobody(path, 50) == 0);
    }
    SUBCASE("after a kill") {
        const pid_t child = ::fork();
        if (child == 0) {
            MirrorFile file(options_for(path), noon());
            file.writer().commit(whole(noon_window(0, 60), rows(1, 50)), noon(60), at(noon(60)));
            ::kill(::getpid(), SIGKILL);
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFSIGNALED(status));
        let_others_only_read(directory);
        CHECK(read_as_nobody(path, 50) == 0);
    }
    ::chmod(directory.path().c_str(), 0755);
}

TEST_CASE("a file of an older version becomes one of today") {
    // Each undoes one step, down to version 1.
    const std::vector<std::string> steps_back{
        "DROP INDEX rejects_id; ALTER TABLE rejects DROP COLUMN id; DROP TABLE doubts;"
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

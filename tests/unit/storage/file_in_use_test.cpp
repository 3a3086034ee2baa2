// A file that others hold, move away or delete while it is open.
#include <filesystem>
#include <fstream>
#include <string>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <doctest/doctest.h>

#include "storage/errors.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;

TEST_CASE("a file that another connection holds") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    const auto write = [&] {
        file.writer(impressions)
            .commit(whole(noon_window(0, 60), rows(1, 5)), noon(60), at(noon(60)));
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
        CHECK(file.reader(impressions).count({}, LocalTime(Seconds(1) * 2'000'000'000)) == 0);
    }
    {
        FileLock other(path);
        REQUIRE(other.try_lock(FileLock::Part::write));
        CHECK(kind() == DatabaseErrorKind::locked);
        CHECK(refusal(path) == DatabaseErrorKind::locked);
    }
    write();
    CHECK(file.reader(impressions).fact("rows") == "5");
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
        file.writer(impressions).set_fact("key", "value");
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
            file.writer(impressions).set_fact("key", "before");
            std::filesystem::remove(log);
            if (replaced) {
                std::ofstream(log) << "";
            }
            try {
                file.writer(impressions).set_fact("key", "after");
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

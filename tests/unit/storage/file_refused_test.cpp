// What is not taken for a file of ours, and is left as it was.
#include <chrono>
#include <filesystem>
#include <string>

#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>

#include "storage/errors.hpp"
#include "storage/migrations.hpp"
#include "storage/sqlite/file_check.hpp"
#include "storage/status_reader.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;

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

TEST_CASE("if the file cannot be created, the error says what to do first") {
    TemporaryDirectory directory;
    std::filesystem::create_symlink("nowhere.db", directory / "link.db");
    std::filesystem::create_symlink("circle.db", directory / "circle.db");
    write_bytes(directory / "plain", "");
    struct Row {
        std::filesystem::path path;
        const char* words;
    };
    const Row rows[] = {
        {directory / "missing" / "m.db", "mkdir -p"},
        {directory / "~" / "m.db", "write the whole path"},
        {directory / "link.db", "a link to nowhere.db"},
        {directory / "circle.db", "lead in a circle; remove them"},
        {directory / "plain" / "m.db", "plain is not a directory; name another file"},
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
        CHECK_THROWS_WITH_AS(file.writer(impressions).claim_account("35", "Other", {}),
                             doctest::Contains("belongs to account 34 (Development)"),
                             OtherAccount);
    }
    CHECK(bytes_of(path) == before);
    CHECK(std::filesystem::file_size(path.string() + "-wal") == 0);
}

TEST_CASE("what stands in the way of a file that is to be created") {
    TemporaryDirectory directory;
    const auto why = [&](const char* name) {
        return why_not_creatable(directory / name).value_or("");
    };
    std::filesystem::create_symlink("nowhere.db", directory / "link.db");
    std::filesystem::create_symlink("m.db", directory / "good.db");
    write_bytes(directory / "m.db", "");
    CHECK(why("new.db").empty());
    CHECK(why("m.db").empty());
    CHECK(why("good.db").empty());
    CHECK(why("link.db").starts_with("it is a link to nowhere.db"));
    CHECK(why("missing/new.db").find("mkdir -p") != std::string::npos);
    CHECK(why("~/new.db").find("write the whole path") != std::string::npos);
    std::filesystem::create_directory(directory / "~");
    CHECK(why("~/new.db").empty());
}

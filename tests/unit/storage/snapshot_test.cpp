#include "storage/snapshot.hpp"

#include <filesystem>
#include <fstream>

#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>

#include "storage/sqlite/errors.hpp"
#include "storage/status_reader.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;

namespace {

SnapshotOptions options(const std::filesystem::path& source, const std::filesystem::path& target) {
    SnapshotOptions options;
    options.source = source;
    options.target = target;
    return options;
}

std::string fact_in(const std::filesystem::path& file) {
    StatusOptions options;
    options.path = file;
    auto facts = read_status(options).of(impressions).facts;
    return facts["key"];
}

void make_mirror(const std::filesystem::path& path, const std::string& value) {
    MirrorFile file(options_for(path), noon());
    file.writer(impressions).set_fact("key", value);
}

// One file, without a log beside it.
void make_older_copy(const std::filesystem::path& copy) {
    TemporaryDirectory elsewhere;
    make_mirror(elsewhere / "m.db", "older");
    take_snapshot(options(elsewhere / "m.db", copy));
}

std::string refusal(const std::filesystem::path& source, const std::filesystem::path& target) {
    try {
        take_snapshot(options(source, target));
    } catch (const DatabaseError& error) {
        return error.what();
    }
    return "none";
}

std::size_t files_in(const std::filesystem::path& directory) {
    const std::filesystem::directory_iterator all(directory);
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace

TEST_CASE("a snapshot is the file of one moment, also while somebody writes") {
    TemporaryDirectory directory;
    MirrorFile file(options_for(directory / "m.db"), noon());
    file.writer(impressions).set_fact("key", "before");
    std::filesystem::create_directory(directory / "backup");
    const auto copy = directory / "backup" / "copy.db";
    make_older_copy(copy);

    SnapshotOptions wanted = options(directory / "m.db", copy);
    std::uint64_t steps = 0;
    wanted.go_on = [&](const SnapshotProgress& progress) {
        CHECK(progress.bytes_done <= progress.bytes);
        // What is committed meanwhile is not in it.
        file.writer(impressions).set_fact("key", "meanwhile " + std::to_string(++steps));
        return true;
    };
    const std::uint64_t bytes = take_snapshot(wanted);
    CHECK(steps >= 1);
    CHECK(bytes == std::filesystem::file_size(copy));
    CHECK(fact_in(copy) == "before");
    CHECK(fact_in(directory / "m.db").starts_with("meanwhile"));
    // One file, which no log belongs to, and which a reader needs no other file for.
    CHECK(files_in(directory / "backup") == 1);
    CHECK(std::filesystem::status(copy).permissions() == static_cast<std::filesystem::perms>(0640));
    SQLite::Database sql(copy.string(), SQLite::OPEN_READONLY);
    CHECK(sql.execAndGet("PRAGMA journal_mode").getString() == "delete");
    CHECK(sql.execAndGet("PRAGMA integrity_check").getString() == "ok");
}

TEST_CASE("a mirror goes on from a snapshot") {
    TemporaryDirectory directory;
    {
        MirrorFile file(options_for(directory / "m.db"), noon());
        file.writer(impressions).set_fact("key", "value");
        take_snapshot(options(directory / "m.db", directory / "copy.db"));
    }
    MirrorFile copy(options_for(directory / "copy.db"), noon());
    CHECK(copy.reader(impressions).fact("key") == "value");
    copy.writer(impressions).set_fact("key", "new");
    CHECK(fact_in(directory / "m.db") == "value");
}

TEST_CASE("a snapshot that ends early leaves nothing, and what was there before") {
    TemporaryDirectory directory;
    const MirrorFile file(options_for(directory / "m.db"), noon());
    std::filesystem::create_directory(directory / "backup");
    const auto copy = directory / "backup" / "copy.db";
    make_older_copy(copy);
    SnapshotOptions wanted = options(directory / "m.db", copy);
    wanted.go_on = [](const SnapshotProgress&) { return false; };
    CHECK(take_snapshot(wanted) == 0);
    CHECK(files_in(directory / "backup") == 1);
    CHECK(fact_in(copy) == "older");
}

TEST_CASE("where a snapshot must not go") {
    TemporaryDirectory directory;
    const auto source = directory / "m.db";
    const MirrorFile file(options_for(source), noon());
    std::filesystem::create_hard_link(source, directory / "same.db");
    std::filesystem::create_directory(directory / "d.db");
    std::ofstream(directory / "used.db") << "";
    std::ofstream(directory / "used.db-wal") << "";
    for (const auto& target : {source, directory / "same.db", directory / "d.db",
                               directory / "used.db", directory / "missing" / "copy.db"}) {
        CAPTURE(target.string());
        CHECK_THROWS_AS(take_snapshot(options(source, target)), DatabaseError);
    }
    CHECK(refusal(source, directory / "missing" / "copy.db") ==
          "snapshot " + (directory / "missing" / "copy.db").string() + ": directory " +
              (directory / "missing").string() +
              " does not exist; create it, or name another file");
    CHECK_THROWS_AS(take_snapshot(options(directory / "none.db", directory / "copy.db")),
                    DatabaseError);
    CHECK_FALSE(std::filesystem::exists(directory / "copy.db"));
}

TEST_CASE("a snapshot replaces nothing but an older copy") {
    TemporaryDirectory directory;
    const auto source = directory / "m.db";
    const MirrorFile file(options_for(source), noon());
    // They may be empty, and are not the copy's for all that.
    for (const char* const suffix : {"-wal", "-shm", ".lock"}) {
        CAPTURE(suffix);
        const std::filesystem::path target = source.string() + suffix;
        CHECK(refusal(source, target).find("it belongs to the mirror") != std::string::npos);
        std::filesystem::create_symlink(target, directory / "link");
        CHECK(refusal(source, directory / "link").find("it belongs to the mirror") !=
              std::string::npos);
        std::filesystem::remove(directory / "link");
    }
    const auto token = directory.file("token", "0f8e7d6c5b4a39281706f5e4d3c2b1a0\n");
    SQLite::Database((directory / "other.db").string(),
                     SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
        .exec("CREATE TABLE invoices (id INTEGER)");
    for (const auto& target : {token, directory / "other.db"}) {
        CAPTURE(target.string());
        const auto bytes = std::filesystem::file_size(target);
        CHECK(refusal(source, target) ==
              "snapshot " + target.string() +
                  ": it exists, and is not a copy of a mirror; name another file");
        CHECK(std::filesystem::file_size(target) == bytes);
    }
    CHECK(refusal(source, directory.file("empty", "")) == "none");
}

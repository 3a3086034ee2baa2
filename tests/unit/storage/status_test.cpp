// What `status` finds, and what is kept of runs.
#include <doctest/doctest.h>

#include "storage/sqlite/errors.hpp"
#include "storage/status_reader.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;

namespace {

FileStatus status_of(const std::filesystem::path& path) {
    StatusOptions options;
    options.path = path;
    return read_status(options);
}

sync::RunRecord run_record(const std::string& kind, Instant started) {
    sync::RunRecord run;
    run.kind = kind;
    run.period = noon_window(0, 60);
    run.started = started;
    run.outcome = "running";
    return run;
}

}  // namespace

TEST_CASE("the status of a file that is being written") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    CHECK_FALSE(status_of(path).account.has_value());
    CHECK_FALSE(status_of(path).server_clock_offset.has_value());

    file.writer(impressions).claim_account("34", "Development", {});
    copernica::Page page = rows(1, 50);
    page.rejects.push_back(reject("{\"ID\":null}"));
    file.writer(impressions)
        .commit(whole(noon_window(0, 60), std::move(page)), noon(60), at(noon(90)));
    file.writer(impressions).set_fact("last_success", "2026-03-01T12:01:30Z");

    const FileStatus file_status = status_of(path);
    const StreamStatus& status = file_status.of(impressions);
    REQUIRE(file_status.account.has_value());
    CHECK(file_status.account->id == "34");
    CHECK(file_status.account->name == "Development");
    CHECK(file_status.time_zone == "Europe/Amsterdam");
    CHECK(status.coverage == WindowSet(noon_window(0, 60)));
    CHECK(status.rows == 50);
    CHECK(status.removed == 0);
    CHECK(status.rejects == 1);
    CHECK(file_status.server_clock_offset == Seconds(-30));
    CHECK(status.facts.at("last_success") == "2026-03-01T12:01:30Z");
    CHECK(ask(path, "SELECT value FROM mirror WHERE stream = '' AND key = 'api_url'") ==
          "https://api.example.com/v3");
    CHECK(ask(path, "SELECT value FROM mirror WHERE key = 'program_version'") == "0.0.0");
    CHECK(file_status.database_bytes == std::filesystem::file_size(path));
    CHECK(file_status.wal_bytes == std::filesystem::file_size(path.string() + "-wal"));
    CHECK(file_status.wal_bytes > 0);
}

TEST_CASE("the server's clock is written when it moved, not for a second's rounding") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    const auto offset_after = [&](std::int64_t offset) {
        file.writer(impressions)
            .commit(whole(noon_window(0, 60), copernica::Page{}), noon(offset), at(noon()));
        return status_of(path).server_clock_offset.value().count();
    };
    CHECK(offset_after(5) == 5);
    CHECK(offset_after(6) == 5);
    CHECK(offset_after(4) == 5);
    CHECK(offset_after(7) == 7);
    CHECK(offset_after(-3600) == -3600);
}

TEST_CASE("no status without a file, and none is made") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    const auto kind = [&] {
        try {
            status_of(path);
        } catch (const DatabaseError& error) {
            return error.kind();
        }
        return DatabaseErrorKind::io;
    };
    CHECK(kind() == DatabaseErrorKind::absent);
    CHECK_FALSE(std::filesystem::exists(path));
    write_bytes(path, "");
    CHECK(kind() == DatabaseErrorKind::absent);
    write_bytes(path, "no database, but long enough to be taken for one if one does not look");
    CHECK(kind() == DatabaseErrorKind::foreign);
}

TEST_CASE("a run is one row, rewritten, with what it left unread") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    sync::RunRecord run = run_record("backfill", noon());
    file.writer(impressions).record_run(run, noon());
    run.ended = noon(30);
    run.requests = 7;
    run.written.inserted = 1;
    run.written.updated = 2;
    run.written.unchanged = 3;
    run.written.rejected = 4;
    run.outcome = "incomplete";
    plan::UnreadWindow unread;
    unread.window = noon_window(10, 11);
    unread.reason = "\"total\" said 1,001\nand 1,000 came";
    run.unread.push_back(unread);
    file.writer(impressions).record_run(run, noon(30));

    MirrorFile other(options_for(path), noon());
    other.writer(impressions).record_run(run_record("sync", noon(40)), noon(40));

    const FileStatus file_status = status_of(path);
    const StreamStatus& status = file_status.of(impressions);
    REQUIRE(status.runs.size() == 2);
    CHECK(status.runs[0].run.kind == "sync");
    CHECK_FALSE(status.runs[0].run.ended.has_value());
    const sync::RunRecord& read = status.runs[1].run;
    CHECK(read.kind == "backfill");
    CHECK(read.period == noon_window(0, 60));
    CHECK(read.started == noon());
    CHECK(read.ended == noon(30));
    CHECK(read.requests == 7);
    CHECK(read.written.inserted == 1);
    CHECK(read.written.updated == 2);
    CHECK(read.written.unchanged == 3);
    CHECK(read.written.rejected == 4);
    CHECK(read.outcome == "incomplete");
    REQUIRE(read.unread.size() == 1);
    CHECK(read.unread[0].window == unread.window);
    CHECK(read.unread[0].reason == unread.reason);
}

TEST_CASE("runs are kept 90 days, one that goes on longer") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    const std::int64_t day = 86'400;
    MirrorFile daemon(options_for(path), noon());
    daemon.writer(impressions).record_run(run_record("run", noon()), noon());
    for (const std::int64_t days : {1, 89, 91, 100}) {
        MirrorFile sync(options_for(path), noon());
        const Instant now = noon(days * day);
        sync.writer(impressions).record_run(run_record("sync", now), now);
    }
    CHECK(ask(path, "SELECT group_concat(kind) FROM runs") == "sync,sync,sync");
    daemon.writer(impressions).record_run(run_record("run", noon()), noon(100 * day));
    CHECK(ask(path, "SELECT group_concat(kind) FROM runs") == "run,sync,sync,sync");
}

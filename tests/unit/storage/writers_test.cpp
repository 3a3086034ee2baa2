// Several that write at once, and a log that grows.
#include <array>
#include <csignal>
#include <cstdint>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>

#include "storage/metadata.hpp"
#include "storage/sqlite/log_truncation.hpp"
#include "storage/sqlite/transaction.hpp"
#include "tests/support/fault_table.hpp"
#include "tests/support/faulty_disk.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;
using mirror::test::changing_calls;
using mirror::test::DiskFailure;
using mirror::test::FaultClass;
using mirror::test::FaultyDisk;

namespace {

constexpr int writers = 3;
constexpr std::int64_t windows_each = 40;

// Every writer its own rows, windows that touch those of the others, and a file to be made first.
int write_among_others(const std::filesystem::path& path, int writer) {
    MirrorOptions options = options_for(path);
    options.busy_timeout = std::chrono::seconds(60);
    try {
        MirrorFile file(options, noon());
        for (std::int64_t i = 0; i < windows_each; ++i) {
            const std::int64_t begin = (i * writers + writer) * 10;
            copernica::Page page;
            for (std::int64_t second = begin; second < begin + 10; ++second) {
                page.rows.push_back(row(page, second + 1, second, std::to_string(second % 7)));
            }
            file.writer(impressions)
                .commit(whole(noon_window(begin, begin + 10), std::move(page)), noon(begin + 10),
                        at(noon(begin)));
        }
    } catch (const std::exception&) {
        return 1;
    }
    return 0;
}

}  // namespace

TEST_CASE("processes that create and write one file together lose nothing") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    std::array<pid_t, writers> children{};
    for (int writer = 0; writer < writers; ++writer) {
        const pid_t child = ::fork();
        if (child == 0) {
            ::_exit(write_among_others(path, writer));
        }
        children[static_cast<std::size_t>(writer)] = child;
    }
    for (const pid_t child : children) {
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(status == 0);
    }
    const std::int64_t seconds = writers * windows_each * 10;
    MirrorFile file(options_for(path), noon());
    CHECK(file.reader(impressions).coverage(0) == WindowSet(noon_window(0, seconds)));
    CHECK(file.reader(impressions).fact("rows") == std::to_string(seconds));
    CHECK(ask(path, "SELECT count(*) FROM impressions") == std::to_string(seconds));
    CHECK(ask(path, "SELECT count(*) FROM user_agents") == "7");
    CHECK(ask(path, "PRAGMA integrity_check") == "ok");
}

TEST_CASE("a kill at any write of the first opening leaves a file that opens") {
    FaultClass table("disk", "kill -9 while the file is made");
    bool killed = true;
    for (std::uint64_t nth = 1; killed; nth += nth < 40 ? 1 : 29) {
        CAPTURE(nth);
        table.begin();
        TemporaryDirectory directory;
        const auto path = directory / "m.db";
        const pid_t child = ::fork();
        if (child == 0) {
            FaultyDisk::instance().arm({changing_calls, nth, DiskFailure::kill});
            ::_exit(write_among_others(path, 0));
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        killed = WIFSIGNALED(status);
        REQUIRE((killed || status == 0));
        MirrorFile file(options_for(path), noon());
        file.writer(impressions)
            .commit(whole(noon_window(0, 10), rows(1, 10)), noon(10), at(noon(10)));
        CHECK(ask(path, "PRAGMA integrity_check") == "ok");
        CHECK(ask(path, "SELECT count(*) FROM impressions") ==
              file.reader(impressions).fact("rows"));
        table.passed();
    }
}

TEST_CASE("the log is emptied when nobody reads, and left alone when somebody does") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    Database database = open_mirror(options_for(path), noon());
    const auto write = [&](const std::string& value) {
        WriteTransaction transaction(database);
        Facts(database.sql()).set("key", value);
        transaction.commit();
    };
    write("1");
    CHECK(database.truncate_log(1'000'000) == Database::Checkpoint::not_needed);
    {
        SQLite::Database reader(path.string(), SQLite::OPEN_READONLY);
        reader.exec("BEGIN; SELECT count(*) FROM mirror");
        write("2");
        CHECK(database.truncate_log(1) == Database::Checkpoint::busy);
        CHECK(std::filesystem::file_size(path.string() + "-wal") > 0);
        reader.exec("COMMIT");
    }
    CHECK(database.truncate_log(1) == Database::Checkpoint::done);
    // No frame, but more than a header (see log_padding.hpp).
    CHECK(std::filesystem::file_size(path.string() + "-wal") > 32);
    CHECK(std::filesystem::file_size(path.string() + "-wal") < 4096);
    CHECK(ask(path, "SELECT value FROM mirror WHERE key = 'key'") == "2");
    {
        FileLock other(path);
        REQUIRE(other.try_lock(FileLock::Part::write));
        CHECK(database.truncate_log(0) == Database::Checkpoint::busy);
    }
}

TEST_CASE("while somebody is in the way, attempts to empty the log become rarer") {
    Database::Checkpoint result = Database::Checkpoint::busy;
    std::vector<std::int64_t> attempts;
    std::int64_t second = 0;
    LogTruncation truncation([&] {
        attempts.push_back(second);
        return result;
    });
    const auto try_until = [&](std::int64_t end) {
        attempts.clear();
        for (; second < end; ++second) {
            truncation.try_when_due(Monotonic(Seconds(second)));
        }
        return attempts;
    };
    // A second, then twice as long each time, and five minutes at the most.
    CHECK(try_until(1200) ==
          std::vector<std::int64_t>{0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 811, 1111});
    // What succeeds, or was not needed, has no pause, and the next ones are short again.
    for (const auto success : {Database::Checkpoint::done, Database::Checkpoint::not_needed}) {
        second += 300;
        result = success;
        const std::int64_t first = second;
        CHECK(try_until(first + 3) == std::vector<std::int64_t>{first, first + 1, first + 2});
        result = Database::Checkpoint::busy;
        CHECK(try_until(first + 10) == std::vector<std::int64_t>{first + 3, first + 4, first + 6});
    }
}

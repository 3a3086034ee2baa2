// Each call of SQLite to the disk fails once, or from then on; the power goes at each of them.
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "storage/migrations.hpp"
#include "storage/mirror_database.hpp"
#include "tests/faults/deaths.hpp"
#include "tests/faults/small_account.hpp"
#include "tests/support/fault_table.hpp"
#include "tests/support/old_mirror.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace mirror;
using namespace mirror::faults;
using test::changing_calls;
using test::DiskCall;
using test::DiskFailure;
using test::DiskFault;
using test::FaultClass;
using test::FaultyDisk;

namespace {

struct Way {
    const char* name;
    DiskCall call;
    DiskFailure how;
};

constexpr Way ways[] = {
    {"an open fails", DiskCall::open, DiskFailure::io_error},
    {"a read fails", DiskCall::read, DiskFailure::io_error},
    {"a write fails", DiskCall::write, DiskFailure::io_error},
    {"the disk is full", DiskCall::write, DiskFailure::full},
    {"half of a write, then the disk is full", DiskCall::write, DiskFailure::short_write},
    {"a truncation fails", DiskCall::truncate, DiskFailure::io_error},
    {"a sync fails", DiskCall::sync, DiskFailure::io_error},
    {"a lock fails", DiskCall::lock, DiskFailure::io_error},
    {"a lock is somebody else's", DiskCall::lock, DiskFailure::busy},
    {"shared memory fails", DiskCall::shared_memory, DiskFailure::io_error},
    {"a lock in shared memory is somebody else's", DiskCall::shared_memory, DiskFailure::busy},
    {"a removal fails", DiskCall::remove, DiskFailure::io_error},
    {"a look at a file fails", DiskCall::look, DiskFailure::io_error},
};

// N = 1, 2, 3 … until a run passes without meeting the fault.
void sweep(const Way& way, Before before, bool lasting, std::uint64_t step, FaultClass& table) {
    bool met = true;
    for (std::uint64_t nth = 1; met; nth += step) {
        CAPTURE(nth);
        table.begin();
        Case one(before);
        DiskFault fault({way.call}, nth, way.how);
        fault.lasting = lasting;
        one.world().disk.arm(fault);
        const bool ended_well = one.run();
        met = one.world().disk.failed();
        REQUIRE((met || ended_well));
        one.world().disk.heal();
        const std::string complaint = one.complaint();
        REQUIRE(complaint == "");
        table.passed();
    }
}

}  // namespace

TEST_CASE("disk: each call fails once") {
    for (const Way& way : ways) {
        FaultClass table("disk", way.name);
        for (const Before before : all_befores) {
            CAPTURE(std::string(way.name));
            CAPTURE(name_of(before));
            sweep(way, before, false, stride(11), table);
        }
    }
}

TEST_CASE("disk: each call fails, and all of its kind after it") {
    for (const Way& way : ways) {
        if (way.how == DiskFailure::busy) {
            continue;  // waited for each time: the tests of storage have that
        }
        FaultClass table("disk", std::string(way.name) + ", again and again");
        for (const Before before : all_befores) {
            CAPTURE(std::string(way.name));
            CAPTURE(name_of(before));
            sweep(way, before, true, stride(17), table);
        }
    }
}

TEST_CASE("disk: the power goes at each call that changes something") {
    for (const Death& death : deaths) {
        FaultClass table("disk", death.name);
        for (const Before before : all_befores) {
            bool met = true;
            for (std::uint64_t nth = 1; met; nth += stride(5)) {
                CAPTURE(std::string(death.name));
                CAPTURE(name_of(before));
                CAPTURE(nth);
                table.begin();
                Case one(before);
                FaultyDisk& disk = one.world().disk;
                arm(disk, death, nth);
                one.run();
                met = leave_remains(disk, death, nth);
                const std::string complaint = one.complaint();
                REQUIRE(complaint == "");
                table.passed();
            }
        }
    }
}

TEST_CASE("disk: a power cut without any fault of the disk takes no more than the tail") {
    FaultClass table("disk", "power loss between two runs");
    for (std::uint64_t seed = 1; seed <= 40; seed += stride(4)) {
        CAPTURE(seed);
        table.begin();
        Case one(Before::whole);
        one.world().disk.remember();
        one.run();
        one.world().disk.lose_power(seed % 2 == 0 ? test::Loss::all : test::Loss::some, seed);
        REQUIRE(one.complaint() == "");
        table.passed();
    }
}

TEST_CASE("disk: the power goes at each call of a migration") {
    FaultClass table("disk", "power loss during a migration");
    constexpr int before = storage::schema_version;
    const std::vector<storage::Migration> steps{
        {before + 1,
         "ALTER TABLE impression_rows ADD COLUMN score INTEGER; UPDATE impression_rows SET "
         "score = id"},
        {before + 2, "CREATE TABLE scores AS SELECT id, score FROM impression_rows"}};
    for (const test::Loss loss : {test::Loss::all, test::Loss::some}) {
        bool met = true;
        for (std::uint64_t nth = 1; met; nth += stride(2)) {
            CAPTURE(nth);
            table.begin();
            Case one(Before::whole);
            FaultyDisk& disk = one.world().disk;
            const auto file = one.world().file().string();
            const auto ask = [&](const std::string& question) {
                SQLite::Database sql(file, SQLite::OPEN_READONLY);
                return sql.execAndGet(question).getString();
            };
            const std::string rows = ask("SELECT count(*) FROM impression_rows");
            disk.remember();
            disk.arm(DiskFault(changing_calls, nth, DiskFailure::death));
            try {
                SQLite::Database sql(file, SQLite::OPEN_READWRITE);
                sql.exec("PRAGMA synchronous = NORMAL");
                storage::migrate(sql, before, steps);
            } catch (const SQLite::Exception&) {
                // as intended
            }
            met = disk.dead();
            disk.lose_power(loss, nth);
            REQUIRE(ask("PRAGMA integrity_check") == "ok");
            REQUIRE(ask("SELECT count(*) FROM impression_rows") == rows);
            const std::string version = ask("PRAGMA user_version");
            const bool migrated = version == std::to_string(before + 2);
            REQUIRE((migrated || version == std::to_string(before)));
            const std::string made =
                ask("SELECT count(*) FROM sqlite_schema WHERE name = 'scores'");
            REQUIRE(made == (migrated ? "1" : "0"));
            SQLite::Database sql(file, SQLite::OPEN_READWRITE);
            storage::migrate(sql, std::stoi(version), steps);
            REQUIRE(ask("SELECT count(*) FROM scores") == rows);
            table.passed();
        }
    }
}

TEST_CASE(
    "disk: the power goes at each call while a file of version 1 or 2 is brought up to date") {
    FaultClass table("disk", "power loss during the migration of an old file");
    FaultyDisk& disk = FaultyDisk::instance();
    for (const int old : {1, 2}) {
        for (const test::Loss loss : {test::Loss::all, test::Loss::some}) {
            bool met = true;
            for (std::uint64_t nth = 1; met; nth += stride(3)) {
                CAPTURE(nth);
                table.begin();
                const test::TemporaryDirectory directory;
                const auto path = directory / "m.db";
                const auto ask = [&](const std::string& question) {
                    SQLite::Database sql(path.string(), SQLite::OPEN_READONLY);
                    return sql.execAndGet(question).getString();
                };
                const storage::MirrorOptions options{path, Zone("Europe/Amsterdam")};
                test::make_old_mirror(path, old);
                disk.remember();
                disk.arm(DiskFault(changing_calls, nth, DiskFailure::death));
                try {
                    storage::open_mirror(options, Instant{});
                } catch (const storage::DatabaseError&) {
                    // as intended
                }
                met = disk.dead();
                disk.lose_power(loss, nth);
                disk.heal();
                disk.forget();
                REQUIRE(ask("PRAGMA integrity_check") == "ok");
                const std::string version = ask("PRAGMA user_version");
                REQUIRE((version == std::to_string(old) ||
                         version == std::to_string(storage::schema_version)));
                REQUIRE(ask("SELECT count(*) FROM coverage") == "2");
                storage::open_mirror(options, Instant{});
                REQUIRE(ask("SELECT count(*) FROM coverage WHERE stream = 'impressions'") == "2");
                REQUIRE(ask("SELECT count(*) FROM mine") == "20");
                table.passed();
            }
        }
    }
}

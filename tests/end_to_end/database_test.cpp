// What happens to the file while the program works, or between two runs: a clear message and exit
// 4, or recovery; and the next sync makes it exact.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>

#include <SQLiteCpp/SQLiteCpp.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/end_to_end/scene.hpp"
#include "tests/support/fault_table.hpp"

using namespace mirror;
using namespace mirror::test;

namespace {

constexpr std::uint64_t many = 12'000;

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// No file grows beyond this, in this process and in those that it starts.
class FileSizeLimit {
  public:
    explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        rlimit limit = before_;
        limit.rlim_cur = bytes;
        REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    }
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

  private:
    void (*handler_)(int);
    rlimit before_{};
};

// A file system in memory of a few kilobytes. Only for root.
class SmallDisk {
  public:
    SmallDisk(std::filesystem::path place, int kilobytes) : place_(std::move(place)) {
        std::filesystem::create_directory(place_);
        mounted_ = mount("tmpfs", place_.c_str(), "tmpfs", 0,
                         fmt::format("size={}k", kilobytes).c_str()) == 0;
    }
    ~SmallDisk() {
        if (mounted_) {
            umount2(place_.c_str(), MNT_DETACH);
        }
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;

    bool mounted() const { return mounted_; }
    void grow() const {
        REQUIRE(mount("tmpfs", place_.c_str(), "tmpfs", MS_REMOUNT, "size=64m") == 0);
    }

  private:
    std::filesystem::path place_;
    bool mounted_ = false;
};

// A `run` that has mirrored everything and polls each second.
std::unique_ptr<Process> follow(Scene& scene) {
    scene.server.clock().run_from(present());
    scene.configure("mirror", "poll_interval = \"1s\"\nsettle = \"1s\"\n");
    auto process = scene.start({"run"});
    REQUIRE(scene.server.wait(
        [](const simulator::Counters& counters) { return counters.requests >= 12; }));
    return process;
}

// Waits for so many more requests.
void let_it_poll(Scene& scene, std::uint64_t requests) {
    const std::uint64_t before = scene.requests();
    REQUIRE(scene.server.wait([=](const simulator::Counters& counters) {
        return counters.requests >= before + requests;
    }));
}

void forget_file(Scene& scene) {
    for (const char* const suffix : {"", "-wal", "-shm", ".lock"}) {
        std::filesystem::remove(scene.database().string() + suffix);
    }
}

}  // namespace

TEST_CASE("database: full in the middle, at several sizes") {
    if (geteuid() != 0) {
        MESSAGE("only root can make a small file system: the faults of the disk have it for all");
        return;
    }
    FaultClass table("database", "full in the middle");
    for (const int kilobytes : {60, 200, 700}) {
        CAPTURE(kilobytes);
        Scene scene;
        const SmallDisk disk(scene.directory() / "small", kilobytes);
        if (!disk.mounted()) {
            MESSAGE("mounting is not allowed here");
            return;
        }
        table.begin();
        populate(scene, many);
        std::ofstream(scene.directory() / "small" / "m.db") << "";
        std::filesystem::create_symlink("small/m.db", scene.database());
        const Run run = scene.run({"sync"});
        CAPTURE(run.err);
        REQUIRE(run.code == 4);
        REQUIRE(contains(run.err, "the disk is full"));
        REQUIRE(contains(run.err, "make room"));
        disk.grow();
        REQUIRE(scene.complaint(scene.run({"sync"})) == "");
        REQUIRE(scene.query("PRAGMA integrity_check") == "ok");
        table.passed();
    }
}

TEST_CASE("database: a quota that is used up, in the middle") {
    Scene scene;
    populate(scene, many);
    scene.preload("used-up-quota");
    scene.environment["QUOTA_BYTES"] = "200000";
    const Run run = scene.run({"sync"});
    CAPTURE(run.err);
    CHECK(run.code == 4);
    CHECK(contains(run.err, "the disk quota is used up"));
    scene.environment.clear();
    CHECK(scene.complaint(scene.run({"sync"})) == "");
    CHECK(scene.query("PRAGMA integrity_check") == "ok");
}

TEST_CASE("database: the log deleted under a run") {
    Scene scene;
    populate(scene, 1000);
    const auto process = follow(scene);
    std::filesystem::remove(scene.database().string() + "-wal");
    scene.account.add(row(5'000'000, present() + Seconds(1)));
    CHECK(process->wait() == 4);
    CAPTURE(process->err());
    CHECK(contains(process->err(), "-wal, was deleted or replaced"));
    scene.server.clock().stand_at(present() + Seconds(60));
    CHECK(scene.complaint(scene.run({"sync"})) == "");
    CHECK(scene.query("PRAGMA integrity_check") == "ok");
}

TEST_CASE("database: a limit on the size of files, in the middle") {
    FaultClass table("database", "files may not grow any more");
    for (const rlim_t kilobytes : {16U, 60U, 200U, 700U}) {
        CAPTURE(kilobytes);
        table.begin();
        Scene scene;
        populate(scene, many);
        Run run;
        {
            const FileSizeLimit limit(kilobytes * 1024);
            run = scene.run({"sync"});
        }
        CAPTURE(run.err);
        REQUIRE(run.code == 4);
        REQUIRE(contains(run.err, "impressions.db"));
        REQUIRE(scene.complaint(scene.run({"sync"})) == "");
        REQUIRE(scene.query("PRAGMA integrity_check") == "ok");
        table.passed();
    }
}

TEST_CASE("database: moved, deleted or replaced while it is open") {
    enum class Deed { moved, deleted, replaced };
    FaultClass table("database", "moved, deleted or replaced while open");
    for (const Deed deed : {Deed::moved, Deed::deleted, Deed::replaced}) {
        CAPTURE(static_cast<int>(deed));
        table.begin();
        Scene scene;
        populate(scene, 1000);
        const auto process = follow(scene);
        const auto elsewhere = scene.directory() / "elsewhere.db";
        if (deed == Deed::moved) {
            std::filesystem::rename(scene.database(), elsewhere);
        } else if (deed == Deed::deleted) {
            std::filesystem::remove(scene.database());
        } else {
            std::ofstream(elsewhere) << "";
            std::filesystem::rename(elsewhere, scene.database());
        }
        scene.account.add(row(5'000'000, present() + Seconds(1)));
        REQUIRE(process->wait() == 4);
        CAPTURE(process->err());
        REQUIRE(contains(process->err(), "moved, replaced or deleted while it was open"));
        REQUIRE(contains(process->err(), "remove its -wal and -shm"));
        scene.server.clock().stand_at(present() + Seconds(60));
        // Its -wal lies there still: a new file must not take it for its own.
        REQUIRE(scene.complaint(scene.run({"sync"})) == "");
        REQUIRE(scene.query("PRAGMA integrity_check") == "ok");
        table.passed();
    }
}

TEST_CASE("database: a permission that is taken away does not stop who has it open") {
    FaultClass table("database", "permission taken away while open");
    table.begin();
    Scene scene;
    populate(scene, 500);
    const auto process = follow(scene);
    std::filesystem::permissions(scene.database(), std::filesystem::perms::none);
    scene.account.add(row(5'000'000, present() + Seconds(1)));
    let_it_poll(scene, 8);
    std::filesystem::permissions(
        scene.database(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    process->signal(SIGTERM);
    CAPTURE(process->err());
    REQUIRE(process->wait() == 0);
    scene.server.clock().stand_at(present() + Seconds(60));
    REQUIRE(scene.complaint(scene.run({"sync"})) == "");
    table.passed();
}

TEST_CASE("database: two at once make one file, and lose nothing") {
    FaultClass table("database", "two at once");
    for (int time = 0; time < 3; ++time) {
        table.begin();
        Scene scene;
        populate(scene, 3000);
        const auto first = scene.start({"sync"});
        const auto second = scene.start({"sync"});
        REQUIRE(first->wait() == 0);
        REQUIRE(second->wait() == 0);
        REQUIRE(scene.difference() == "");
        REQUIRE(scene.query("PRAGMA integrity_check") == "ok");
        table.passed();
    }
    table.begin();
    Scene scene;
    populate(scene, 500);
    const auto process = follow(scene);
    const Run second = scene.run({"run"});
    REQUIRE(second.code == 4);
    REQUIRE(contains(second.err, "keeps it up to date already"));
    process->signal(SIGTERM);
    REQUIRE(process->wait() == 0);
    table.passed();
}

TEST_CASE(
    "database: a reader that never ends makes the log grow, which status says, until it ends") {
    FaultClass table("database", "a reader that never ends");
    table.begin();
    Scene scene;
    populate(scene, 500);
    REQUIRE(scene.run({"sync"}).code == 0);
    const auto wal_bytes = [&] {
        const Run status = scene.run({"status", "--json"});
        REQUIRE(status.code == 0);
        return boost::json::parse(status.out).at("wal_bytes").to_number<std::uint64_t>();
    };
    const auto write_much = [&](int times) {
        for (int time = 0; time < times; ++time) {
            for (const char* const mailing : {"1", "2"}) {
                // Every row is another one each time.
                scene.account.change(1, [&](simulator::Row& changed) { changed.ip = mailing; });
                REQUIRE(scene.run({"backfill", "--from", "2026-06-01", "--force"}).code == 0);
            }
        }
    };
    std::uint64_t grown = 0;
    {
        SQLite::Database reader(scene.database().string(), SQLite::OPEN_READONLY);
        reader.exec("BEGIN; SELECT count(*) FROM impressions");
        write_much(2);
        const std::uint64_t before = wal_bytes();
        write_much(2);
        grown = wal_bytes();
        REQUIRE(grown >
                before);  // nothing can be taken out of it while somebody reads what it hides
        REQUIRE(scene.difference() == "");
    }
    write_much(1);
    REQUIRE(wal_bytes() < grown);
    REQUIRE(scene.difference() == "");
    table.passed();
}

TEST_CASE("database: what a kill leaves beside the file") {
    FaultClass table("database", "files left by a kill");
    for (const char* const lost : {"", "-shm", ".lock"}) {
        CAPTURE(std::string(lost));
        table.begin();
        Scene scene;
        populate(scene, many);
        const auto process = scene.start({"sync"});
        REQUIRE(scene.server.wait(
            [](const simulator::Counters& counters) { return counters.requests >= 12; }));
        process->signal(SIGKILL);
        process->wait();
        if (*lost != '\0') {
            std::filesystem::remove(scene.database().string() + lost);
        }
        REQUIRE(scene.complaint(scene.run({"sync"})) == "");
        REQUIRE(scene.query("PRAGMA integrity_check") == "ok");
        table.passed();
    }
    table.begin();
    Scene scene;
    populate(scene, 500);
    REQUIRE(scene.run({"sync"}).code == 0);
    forget_file(scene);
    REQUIRE(scene.complaint(scene.run({"sync"})) == "");
    table.passed();
}

// What `check` finds of the file from outside: its place, rights and file system.

#include "daemon/check/check_file.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include <doctest/doctest.h>

#include "tests/unit/daemon/check_fixture.hpp"

using namespace mirror;
using namespace mirror::daemon;
using namespace mirror::tests;

namespace {

// As entry() has it.
const Reader owner{1, std::nullopt};

storage::Inspection good_place() {
    storage::Inspection seen;
    seen.path = "/data/impressions.db";
    seen.database = entry(0640);
    seen.database.bytes = 10 << 20;
    seen.log = entry(0640);
    seen.shared = entry(0640);
    seen.lock = entry(0640);
    seen.directory = entry(0750);
    seen.directory.regular = false;
    seen.file_system = 0xef53;
    seen.free_bytes = std::uint64_t{10} << 30;
    return seen;
}

}  // namespace

TEST_CASE("check: the place of the file") {
    CHECK(names_of(judge_place(good_place(), owner)) == place_checks());
    CHECK(worst_of(judge_place(good_place(), owner)) == Verdict::ok);
    struct Case {
        const char* name;
        std::function<void(storage::Inspection&)> edit;
        Verdict verdict;
        const char* words;
    };
    const std::vector<Case> cases{
        {"database", [](auto& s) { s.directory.exists = false; }, Verdict::fail, "may not look"},
        {"database",
         [](auto& s) {
             s.database.exists = false;
             s.not_creatable = "it is a link to nowhere";
         },
         Verdict::fail, "cannot be created, because it is a link to nowhere"},
        {"database", [](auto& s) { s.database.exists = false; }, Verdict::warn, "does not exist"},
        {"database", [](auto& s) { s.database.regular = false; }, Verdict::fail, "regular"},
        {"database", [](auto& s) { s.database.readable = false; }, Verdict::fail, "group"},
        {"permissions", [](auto& s) { s.database.mode = 0644; }, Verdict::warn, "o-rwx"},
        {"permissions", [](auto& s) { s.database.mode = 0600; }, Verdict::warn, "g+r"},
        {"permissions", [](auto& s) { s.directory.mode = 0700; }, Verdict::warn, "g+x /data"},
        {"permissions", [](auto& s) { s.database.writable = false; }, Verdict::ok, "enough"},
        {"readers", [](auto& s) { s.log.exists = false; }, Verdict::warn, "-wal is missing"},
        {"readers", [](auto& s) { s.shared.exists = false; }, Verdict::warn, "-shm is missing"},
        {"readers",
         [](auto& s) {
             s.shared.exists = false;
             s.run_lock_held = true;
         },
         Verdict::fail, "restart"},
        {"readers", [](auto& s) { s.log.owner = 9; }, Verdict::fail, "chown"},
        {"readers", [](auto& s) { s.shared.mode = 0600; }, Verdict::warn, "-shm"},
        {"readers", [](auto& s) { s.log.group = 9; }, Verdict::warn, "-wal"},
        {"lock", [](auto& s) { s.lock.exists = false; }, Verdict::warn, "missing"},
        {"lock", [](auto& s) { s.lock.owner = 9; }, Verdict::fail, "chown"},
        {"lock",
         [](auto& s) {
             s.lock.owner = 9;
             s.lock.mode = 0660;
         },
         Verdict::ok, ""},
        {"file_system", [](auto& s) { s.file_system = 0x6969; }, Verdict::fail, "NFS"},
        {"file_system", [](auto& s) { s.file_system = 0xff534d42; }, Verdict::fail, "CIFS"},
        {"file_system", [](auto& s) { s.file_system = 0x65735546; }, Verdict::warn, "FUSE"},
        {"file_system", [](auto& s) { s.file_system = 0x01021994; }, Verdict::warn, "lost"},
        {"file_system", [](auto& s) { s.file_system = 0x1234; }, Verdict::ok, "0x1234"},
        {"file_system", [](auto& s) { s.file_system = 0; }, Verdict::warn, "not checked"},
        {"free_space", [](auto& s) { s.free_bytes = 1 << 20; }, Verdict::fail, "make room"},
        {"free_space", [](auto& s) { s.free_bytes = 100 << 20; }, Verdict::warn, "little"},
        {"free_space",
         [](auto& s) {
             s.free_bytes = std::uint64_t{1} << 30;
             s.database.bytes = std::uint64_t{6} << 30;
         },
         Verdict::warn, "little"},
        {"free_space", [](auto& s) { s.free_bytes.reset(); }, Verdict::warn, "not checked"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.name);
        CAPTURE(c.words);
        storage::Inspection seen = good_place();
        c.edit(seen);
        const Findings findings = judge_place(seen, owner);
        CHECK(names_of(findings) == place_checks());
        const Finding& finding = named(findings, c.name);
        CHECK(finding.verdict == c.verdict);
        CHECK(says(finding, c.words));
        if (c.verdict == Verdict::fail) {
            CHECK(finding.code == ExitCode::database);
        }
    }
}

TEST_CASE("check: SQLite's versions") {
    CHECK(judge_sqlite(3040001).detail.rfind("3.40.1: two writers", 0) == 0);
    CHECK(says(judge_sqlite(3051002), "FILE.lock"));
    CHECK(judge_sqlite(3051003).detail == "3.51.3");
}

TEST_CASE("check: a read-only file system is a fault for those who should write") {
    storage::Inspection seen = good_place();
    seen.read_only = true;
    for (const uid_t user : {uid_t{0}, uid_t{1}}) {
        const Finding finding = named(judge_place(seen, Reader{user, std::nullopt}), "file_system");
        CHECK(finding.verdict == Verdict::fail);
        CHECK(finding.code == ExitCode::database);
        CHECK(says(finding, "read-only"));
    }
    CHECK(named(judge_place(seen, Reader{7, std::nullopt}), "file_system").verdict == Verdict::ok);
    seen.database.exists = false;
    CHECK(named(judge_place(seen, Reader{7, std::nullopt}), "file_system").verdict ==
          Verdict::fail);
}

TEST_CASE("check: somebody else's file is not judged as ours") {
    const Findings findings = judge_place(good_place(), Reader{1, "not one of this program"});
    CHECK(names_of(findings) == place_checks());
    CHECK(named(findings, "database").verdict == Verdict::fail);
    CHECK(named(findings, "database").code == ExitCode::database);
    for (const Finding& finding : findings) {
        CHECK_FALSE(says(finding, "sync"));
    }
}

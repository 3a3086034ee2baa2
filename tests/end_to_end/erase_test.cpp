// `erase`: as a user meets it.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "tests/end_to_end/scene.hpp"
#include "tests/simulator/story.hpp"

using namespace mirror;
using namespace mirror::test;

namespace {

constexpr std::int64_t person = 777001;
const std::string address = "198.51.100.77";
const std::string agent = "CanaryBrowser/9.9";

// A row of the person.
simulator::Row persons(std::int64_t id, const std::string& at) {
    simulator::Row made = row(id, utc(at));
    made.profile = person;
    made.ip = address;
    made.useragent = agent;
    return made;
}

// Among thousands of rows, three of the person.
void populate_with_person(Scene& scene) {
    populate(scene, 3000);
    scene.account.add(persons(6'000'001, "2026-09-01 12:00:00"));
    scene.account.add(persons(6'000'002, "2026-10-01 12:00:00"));
    scene.account.add(persons(6'000'003, "2026-11-23 12:00:00"));
}

std::string persons_rows(const Scene& scene) {
    return scene.query("SELECT count(*) FROM impressions WHERE profile = " +
                       std::to_string(person));
}

// Of the impressions.
boost::json::object status_of(Scene& scene) {
    const auto all = boost::json::parse(scene.run({"status", "--json"}).out);
    return all.at("streams").at("impressions").as_object();
}

bool any_file_has(const Scene& scene, const std::string& text) {
    const auto files = {"", "-wal", "-shm"};
    return std::any_of(files.begin(), files.end(), [&](const char* suffix) {
        return bytes_of(scene.database().string() + suffix).find(text) != std::string::npos;
    });
}

}  // namespace

TEST_CASE("erase: later commands do not bring it back, and audits agree") {
    Scene scene;
    scene.configure("mirror", "sweep = \"10d\"\n");
    populate_with_person(scene);
    REQUIRE(scene.run({"sync"}).code == 0);
    CHECK(any_file_has(scene, address));
    const Run dry = scene.run({"erase", "--profile", "777001", "--dry-run"});
    CHECK(dry.code == 0);
    CHECK(dry.out.find("impressions: 3 rows would be erased\nclicks: nothing to erase\n") == 0);
    CHECK(persons_rows(scene) == "3");

    scene.token.clear();
    scene.server.start_over();
    const Run run = scene.run({"erase", "--profile", "777001"});
    CAPTURE(run.err);
    CHECK(run.code == 0);
    CHECK(run.out.find("impressions: 3 rows erased\nclicks: nothing to erase\n") == 0);
    CHECK(scene.requests() == 0);
    CHECK(run.err == "");
    scene.token = "simulated-token";
    for (const std::string& trace : {address, agent, std::to_string(person)}) {
        CAPTURE(trace);
        CHECK_FALSE(any_file_has(scene, trace));
    }
    const std::string left = scene.query("SELECT count(*) FROM impressions");
    const std::vector<std::vector<std::string>> commands = {
        {"sync"}, {"backfill", "--from", "2026-01-01", "--force"}, {"audit"}, {"audit", "--repair"},
        {"sync"},
    };
    for (int day = 0; day < 3; ++day) {
        for (const auto& command : commands) {
            CAPTURE(command.front());
            const Run later = scene.run(command);
            CAPTURE(later.out);
            CAPTURE(later.err);
            CHECK(later.code == 0);
            CHECK(persons_rows(scene) == "0");
            CHECK(scene.query("SELECT count(*) FROM impressions WHERE removed_at IS NULL") == left);
        }
        scene.server.clock().advance(std::chrono::hours(24 * 4));
    }
    const auto status = status_of(scene);
    CHECK(status.at("last_error").is_null());
    CHECK(status.at("gaps").as_array().empty());
    CHECK(scene.run({"erase", "--ip", address}).out.find("impressions: nothing to erase\n") == 0);
    CHECK(scene.query(
              "SELECT count(*) FROM runs WHERE kind = 'erase' AND stream = 'impressions'") == "2");
}

TEST_CASE("erase: beside a run, which goes on and brings nothing back") {
    Scene scene;
    populate_with_person(scene);
    scene.server.clock().run_from(utc("2026-11-23 16:00:00"));
    scene.configure("mirror", "poll_interval = \"1s\"\nsettle = \"1s\"\n");
    REQUIRE(scene.run({"sync"}).code == 0);
    const auto process = scene.start({"run"});
    const auto polls = [&](std::uint64_t more) {
        const std::uint64_t requests = scene.requests() + more;
        return scene.server.wait([requests](const simulator::Counters& counters) {
            return counters.requests >= requests;
        });
    };
    REQUIRE(polls(3));
    const Run run = scene.run({"erase", "--profile", "777001"});
    CAPTURE(run.err);
    CHECK(run.code == 0);
    CHECK(run.out.find("impressions: 3 rows erased") == 0);
    CHECK_FALSE(any_file_has(scene, address));
    // Somebody else with the same program, whose number in the file the daemon knew.
    simulator::Row other = row(6'000'010, utc("2026-11-23 16:00:01"));
    other.useragent = agent;
    scene.account.add(other);
    const std::string come = "SELECT count(*) FROM impressions WHERE id = 6000010";
    for (int look = 0; look < 200 && scene.query(come) == "0"; ++look) {
        REQUIRE(polls(1));
    }
    CHECK(scene.query("SELECT useragent FROM impressions WHERE id = 6000010") == agent);
    CHECK(scene.run({"backfill", "--from", "2026-08-01", "--force"}).code == 0);
    CHECK(persons_rows(scene) == "0");
    process->signal(SIGTERM);
    CHECK(process->wait() == 0);
    CHECK(scene.run({"audit"}).code == 0);
}

TEST_CASE("erase --before: older rows count neither as a gap nor as a difference") {
    Scene scene;
    populate(scene, 3000);
    REQUIRE(scene.run({"sync"}).code == 0);
    const Run run = scene.run({"erase", "--before", "2026-09-15"});
    CAPTURE(run.err);
    CHECK(run.code == 0);
    CHECK(scene.query("SELECT min(timestamp) >= '2026-09-15' FROM impressions") == "1");
    const std::string left = scene.query("SELECT count(*) FROM impressions");
    for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
             {"sync"}, {"audit"}, {"backfill", "--from", "2026-01-01", "--force"}, {"audit"}}) {
        CAPTURE(command.front());
        const Run later = scene.run(command);
        CAPTURE(later.out);
        CAPTURE(later.err);
        CHECK(later.code == 0);
        CHECK(scene.query("SELECT count(*) FROM impressions") == left);
        // Nor is anything before it called complete.
        const bool says_from = later.out.find("complete from") != std::string::npos;
        CHECK((later.out.find("complete from 2026-09-15 00:00:00") != std::string::npos) ==
              says_from);
    }
    CHECK(scene.run({"status"}).out.starts_with("complete from 2026-09-15 00:00:00"));
    CHECK(scene.query("SELECT min(local_begin) FROM covered_periods") == "2026-09-15 00:00:00");
    CHECK(scene.query("SELECT since FROM whole_periods") == "2026-09-15 00:00:00");
    scene.server.clock().advance(std::chrono::hours(24 * 8));
    CHECK(scene.run({"sync"}).code == 0);
    CHECK(status_of(scene).at("gaps").as_array().empty());
    CHECK(scene.query("SELECT count(*) FROM impressions") == left);
}

TEST_CASE("keep: older rows are not fetched, are erased daily, and do not count as a difference") {
    Scene scene;
    scene.configure("mirror", "poll_interval = \"1s\"\n");
    scene.configure("privacy", "keep = \"60d\"\n");
    populate(scene, 3000);
    scene.account.add(row(6'000'020, utc("2026-09-28 12:00:00")));
    REQUIRE(scene.run({"sync"}).code == 0);
    const std::string oldest = "SELECT min(timestamp) >= '";
    CHECK(scene.query(oldest + "2026-09-24 00:00:00' FROM impressions") == "1");
    CHECK(status_of(scene).at("erased_before") == "2026-09-24 00:00:00");
    CHECK(status_of(scene).at("keep_seconds") == 60 * 86400);
    const std::string rows = scene.query("SELECT count(*) FROM impressions");
    CHECK(scene.query("SELECT count(*) FROM impressions WHERE id = 6000020") == "1");
    scene.server.clock().advance(std::chrono::hours(24 * 10));
    const auto process = scene.start({"run"});
    const std::string bound =
        "SELECT count(*) FROM mirror WHERE key = 'erased_before' AND value = '2026-10-04 00:00:00'";
    for (int look = 0; look < 200 && scene.query(bound) == "0"; ++look) {
        const std::uint64_t requests = scene.requests() + 1;
        REQUIRE(scene.server.wait([requests](const simulator::Counters& counters) {
            return counters.requests >= requests;
        }));
    }
    process->signal(SIGTERM);
    CHECK(process->wait() == 0);
    CHECK(scene.query(bound) == "1");
    // A file that is opened again finishes what a stop has interrupted.
    const Run audit = scene.run({"audit"});
    CAPTURE(audit.out);
    CHECK(audit.code == 0);
    CHECK(scene.query(oldest + "2026-10-04 00:00:00' FROM impressions") == "1");
    CHECK(scene.query("SELECT count(*) < " + rows + " FROM impressions") == "1");
    CHECK(scene.query("SELECT count(*) FROM impressions WHERE id = 6000020") == "0");
    CHECK(status_of(scene).at("gaps").as_array().empty());
    CHECK(scene.run({"sync"}).code == 0);
    scene.reconfigure("privacy", "keep = \"60d\"", "keep = \"6d\"");
    const Run refused = scene.run({"sync"});
    CHECK(refused.code == 2);
    CHECK(refused.err.find("shorter than the last of [mirror] recheck_ages") != std::string::npos);
}

TEST_CASE("erase: an older backup brings back what was erased after it") {
    Scene scene;
    populate_with_person(scene);
    REQUIRE(scene.run({"sync"}).code == 0);
    const auto backup = scene.directory() / "backup.db";
    REQUIRE(scene.run({"snapshot", backup.string()}).code == 0);
    REQUIRE(scene.run({"erase", "--profile", "777001"}).code == 0);
    for (const char* const suffix : {"", "-wal", "-shm", ".lock"}) {
        std::filesystem::remove(scene.database().string() + suffix);
    }
    std::filesystem::rename(backup, scene.database());
    CHECK(scene.run({"sync"}).code == 0);
    CHECK(persons_rows(scene) == "3");  // as docs/privacy.md says
    CHECK(scene.run({"erase", "--profile", "777001"}).code == 0);
    CHECK(persons_rows(scene) == "0");
}

TEST_CASE("erase: bad input ends it before the file is touched") {
    Scene scene;
    populate(scene, 200);
    CHECK(scene.run({"erase", "--profile", "1"}).code == 4);  // it makes no file
    CHECK_FALSE(std::filesystem::exists(scene.database()));
    REQUIRE(scene.run({"sync"}).code == 0);
    const std::string before =
        bytes_of(scene.database()) + bytes_of(scene.database().string() + "-wal");
    const std::vector<std::vector<std::string>> wrong = {
        {"erase"},
        {"erase", "--dry-run"},
        {"erase", "--stream", "impressions"},
        {"erase", "--profile", "abc"},
        {"erase", "--profile", "0"},
        {"erase", "--profile", "-4"},
        {"erase", "--destination", "99999999999999999999"},
        {"erase", "--ip", "192.0.2"},
        {"erase", "--ip", "192.0.2.0/24"},
        {"erase", "--before", "2999-01-01"},
        {"erase", "--before", "soon"},
        {"erase", "--profile", "5", "--stream", "opens"},
    };
    for (const auto& arguments : wrong) {
        const Run run = scene.run(arguments);
        CAPTURE(run.err);
        CHECK(run.code == 2);
        CHECK(run.out == "");
        // What may be personal is not repeated.
        CHECK(run.err.find("192.0.2.0") == std::string::npos);
    }
    CHECK(bytes_of(scene.database()) + bytes_of(scene.database().string() + "-wal") == before);
}

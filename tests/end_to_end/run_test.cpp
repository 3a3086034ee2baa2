// `run`: follows a live account until it is told to stop.

#include <csignal>
#include <filesystem>
#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include "tests/end_to_end/scene.hpp"
#include "tests/simulator/generate.hpp"

using namespace mirror;
using namespace mirror::test;

namespace {

bool mirrored(Scene& scene, std::uint64_t requests) {
    return scene.server.wait(
        [&](const simulator::Counters& counters) { return counters.requests >= requests; });
}

// Waits for so many more requests than there were.
bool polls(Scene& scene, std::uint64_t more) {
    return mirrored(scene, scene.requests() + more);
}

}  // namespace

TEST_CASE("run: fills the past behind the tail, follows live rows, ends with 0") {
    for (const int signal : {SIGTERM, SIGINT}) {
        Scene scene;
        populate(scene);
        scene.server.clock().run_from(utc("2026-11-23 16:00:00"));
        scene.configure("mirror", "poll_interval = \"1s\"\nsettle = \"1s\"\n");
        const auto process = scene.start({"run"});
        REQUIRE(mirrored(scene, 30));
        scene.account.add(row(5'000'000, utc("2026-11-23 16:00:01")));
        for (int look = 0;
             look < 200 &&
             scene.query("SELECT count(*) FROM impressions WHERE id = 5000000") == "0";
             ++look) {
            REQUIRE(polls(scene, 1));
        }
        process->signal(signal);
        CHECK(process->wait() == 0);
        CAPTURE(process->err());
        CHECK(process->err().find("stopped; the next run continues") != std::string::npos);
        CHECK(scene.difference() == "");
        CHECK(scene.query("SELECT outcome FROM runs ORDER BY id DESC LIMIT 1") == "stopped");
    }
}

TEST_CASE("run: a snapshot beside it is whole, and a mirror goes on from it") {
    Scene scene;
    populate(scene);
    scene.configure("mirror", "poll_interval = \"1s\"\n");
    const auto process = scene.start({"run"});
    REQUIRE(mirrored(scene, 20));
    const auto copy = scene.directory() / "copy.db";
    scene.token.clear();
    const Run snapshot = scene.run_unprivileged({"snapshot", "/dev/full"});
    CHECK(snapshot.code == 4);
    std::filesystem::permissions(scene.directory(), std::filesystem::perms::owner_all);
    const Run taken = scene.run({"snapshot", copy.string()});
    CAPTURE(taken.err);
    CHECK(taken.code == 0);
    CHECK(taken.out.find("copy.db: ") != std::string::npos);
    CHECK(taken.out.find("complete from") != std::string::npos);
    scene.token = "simulated-token";
    process->signal(SIGTERM);
    CHECK(process->wait() == 0);
    // The copy takes the mirror's place.
    for (const char* const suffix : {"", "-wal", "-shm", ".lock"}) {
        std::filesystem::remove(scene.database().string() + suffix);
    }
    std::filesystem::rename(copy, scene.database());
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}

TEST_CASE("run: a second one is turned away, a sync works beside it") {
    Scene scene;
    populate(scene);
    scene.configure("mirror", "poll_interval = \"1s\"\n");
    const auto process = scene.start({"run"});
    REQUIRE(mirrored(scene, 20));
    const Run second = scene.run({"run"});
    CHECK(second.code == 4);
    CHECK(scene.run({"sync"}).code == 0);
    CHECK(scene.difference() == "");
    process->signal(SIGTERM);
    CHECK(process->wait() == 0);
}

TEST_CASE("run: an outage is waited out and told in status") {
    Scene scene;
    populate(scene);
    scene.configure("mirror", "poll_interval = \"1s\"\n");
    const auto process = scene.start({"run"});
    REQUIRE(mirrored(scene, 30));
    // A few failures are tried again without a word.
    const auto told = [&](const std::string& text) {
        for (int look = 0; look < 30 && process->err().find(text) == std::string::npos; ++look) {
            REQUIRE(polls(scene, 1));
        }
        CAPTURE(process->err());
        CHECK(process->err().find(text) != std::string::npos);
    };
    scene.server.set_rule(simulator::rules::always(simulator::faults::gateway(503)));
    told("the API answers with errors");
    scene.server.set_rule({});
    scene.account.add(row(5'000'000, utc("2026-11-23 15:59:50")));
    told("the API works again");
    REQUIRE(polls(scene, 4));
    process->signal(SIGTERM);
    CHECK(process->wait() == 0);
    CHECK(scene.difference() == "");
}

TEST_CASE("run: with a refused token it stays up and says what to do") {
    Scene scene;
    populate(scene);
    REQUIRE(scene.run({"sync"}).code == 0);
    scene.token = "another-token";
    scene.server.start_over();
    const auto process = scene.start({"run"});
    REQUIRE(mirrored(scene, 1));
    // The file says so; it is written after the reply has come.
    std::string error;
    for (int look = 0; look < 2000 && error.empty(); ++look) {
        const Run status = scene.run({"status", "--json"});
        const auto json = boost::json::parse(status.out).as_object();
        if (json.at("last_error").is_string()) {
            error = json.at("last_error").as_string();
        }
    }
    CHECK(error.find("Invalid access token") != std::string::npos);
    CHECK(error.find("with a new one in $COPERNICA_ACCESS_TOKEN") != std::string::npos);
    CHECK(error.find("another-token") == std::string::npos);
    CHECK(scene.requests() == 1);
    process->signal(SIGTERM);
    CHECK(process->wait() == 0);
    CHECK(process->err().find("another-token") == std::string::npos);
}

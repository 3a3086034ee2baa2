// An orderly end, whatever the program is waiting for. Each process here would go on for minutes,
// or for ever, if the signal did not end it; Process::wait() then kills it and says -1.

#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "storage/sqlite/file_lock.hpp"
#include "tests/end_to_end/scene.hpp"
#include "tests/support/patience.hpp"

using namespace mirror;
using namespace mirror::test;

namespace {

bool asked(Scene& scene, std::uint64_t requests) {
    return scene.server.wait(
        [&](const simulator::Counters& counters) { return counters.requests >= requests; });
}

// Looks again and again until there is such a file; none in time is a failure.
bool appears(const std::filesystem::path& file) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < end) {
        if (std::filesystem::exists(file)) {
            return true;
        }
        std::this_thread::yield();
    }
    return false;
}

// SIGTERM ends `run` with 0, and what was begun goes on in the next run.
void check_end(Scene& scene, Process& process) {
    process.signal(SIGTERM);
    CHECK(process.wait() == 0);
    CAPTURE(process.err());
    CHECK(process.err().find("stopped; the next run continues") != std::string::npos);
    if (std::filesystem::exists(scene.database())) {
        CHECK(scene.query("PRAGMA integrity_check") == "ok");
    }
}

}  // namespace

TEST_CASE("shutdown: while the system's resolver never answers") {
    Scene scene;
    const auto mark = scene.directory() / "asked";
    scene.api_url = "https://mirror.invalid/v3";
    scene.preload("stuck-resolver");
    scene.environment["STUCK_RESOLVER_ASKED"] = mark.string();
    const auto process = scene.start({"run"});
    REQUIRE(appears(mark));
    check_end(scene, *process);
}

TEST_CASE("shutdown: while the server accepts and never answers") {
    Scene scene;
    populate(scene, 500);
    scene.server.set_rule(
        simulator::rules::always(simulator::faults::delivery(simulator::Delivery::hang)));
    const auto process = scene.start({"run"});
    REQUIRE(asked(scene, 1));
    check_end(scene, *process);
}

TEST_CASE("shutdown: while a body does not go on, and others are stored") {
    Scene scene;
    populate(scene, 3000);
    scene.server.set_rule(simulator::rules::in_a_row(
        6, 1000, simulator::faults::delivery(simulator::Delivery::hang_in_body)));
    const auto process = scene.start({"run"});
    REQUIRE(asked(scene, 7));
    check_end(scene, *process);
    scene.server.set_rule({});
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}

TEST_CASE("shutdown: while the server pushes back for an hour") {
    Scene scene;
    populate(scene, 500);
    simulator::Fault busy = simulator::faults::gateway(503);
    busy.reply->headers.emplace_back("Retry-After", "3600");
    scene.server.set_rule(simulator::rules::always(busy));
    const auto process = scene.start({"run"});
    REQUIRE(asked(scene, 2));  // after whose token it is, the first page
    check_end(scene, *process);
    CHECK(scene.requests() <= 1 + 4);  // nothing is asked again, on none of the connections
}

TEST_CASE("shutdown: while a refused token is waited for") {
    Scene scene;
    populate(scene, 500);
    REQUIRE(scene.run({"sync"}).code == 0);
    scene.token = "another-token";
    scene.server.start_over();
    const auto process = scene.start({"run"});
    REQUIRE(asked(scene, 1));
    check_end(scene, *process);
    CHECK(scene.requests() == 1);
}

TEST_CASE("shutdown: at any request of a first load") {
    for (std::uint64_t request = 1; request <= 28; request += 3) {
        CAPTURE(request);
        Scene scene;
        scene.configure("api", "page_size = 500\n");
        populate(scene);
        const auto process = scene.start({"run"});
        REQUIRE(asked(scene, request));
        check_end(scene, *process);
        CHECK(scene.complaint(scene.run({"sync"})) == "");
    }
}

TEST_CASE("shutdown: a second signal ends it at once, though a transaction waits for its turn") {
    Scene scene;
    populate(scene, 500);
    REQUIRE(scene.run({"sync"}).code == 0);
    scene.account.add(row(100'000, present() + Seconds(5)));
    scene.server.clock().advance(Seconds(60));
    scene.server.start_over();
    storage::FileLock lock(scene.database());
    const auto process = scene.start({"run"});
    REQUIRE(asked(scene, 1));
    REQUIRE(lock.lock(storage::FileLock::Part::write, std::chrono::seconds(60)));
    process->signal(SIGTERM);
    process->signal(SIGINT);
    const int code = process->wait();
    CHECK((code == 130 || code == 143));
    lock.unlock(storage::FileLock::Part::write);
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}

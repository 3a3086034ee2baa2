// The program ends at any moment, and the next run goes on where it was.

#include <csignal>
#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/end_to_end/scene.hpp"

using namespace mirror;
using namespace mirror::test;
using simulator::Counters;

namespace {

constexpr std::uint64_t rows = 20'000;

// Waits until the server has seen so many requests.
bool reached(Scene& scene, std::uint64_t requests) {
    return scene.server.wait(
        [requests](const Counters& counters) { return counters.requests >= requests; });
}

}  // namespace

TEST_CASE("kill: -9 at thirty moments, then a sync" * every_stream) {
    std::uint64_t whole = 0;
    {
        Scene scene;
        populate(scene, rows);
        REQUIRE(scene.complaint(scene.run({"sync"})) == "");
        whole = scene.requests();
    }
    std::mt19937_64 random(2026);
    for (int time = 0; time < 30; ++time) {
        // How many requests it takes varies a little with what runs beside what.
        const std::uint64_t moment = 1 + random() % (whole * 9 / 10);
        CAPTURE(time);
        CAPTURE(moment);
        Scene scene;
        populate(scene, rows);
        const auto process = scene.start({"sync"});
        REQUIRE(reached(scene, moment));
        process->signal(SIGKILL);
        process->wait();
        CHECK(scene.complaint(scene.run({"sync"})) == "");
        CHECK(scene.query("PRAGMA integrity_check") == "ok");
        CHECK(scene.server.counters().rows <= rows * 22 / 10);
    }
}

TEST_CASE("kill: -9 again and again in one file" * every_stream) {
    Scene scene;
    populate(scene, rows);
    std::mt19937_64 random(11);
    for (int time = 0; time < 12; ++time) {
        scene.server.start_over();
        const auto process = scene.start({"sync"});
        // Near the end it may be done before it is killed: the last requests are few.
        const std::uint64_t moment = 5 + random() % 12;
        REQUIRE(scene.server.wait([moment](const Counters& counters) {
            const bool ended = counters.requests > 0 && counters.open_connections == 0;
            return counters.requests >= moment || ended;
        }));
        process->signal(SIGKILL);
        process->wait();
        // Whoever reads meanwhile sees a sound file.
        if (std::filesystem::exists(scene.database())) {
            CHECK(scene.run({"status"}).code == 0);
        }
    }
    CHECK(scene.complaint(scene.run({"sync"})) == "");
    CHECK(scene.query("PRAGMA integrity_check") == "ok");
}

TEST_CASE("kill: SIGTERM and SIGINT end it in good order") {
    for (const int signal : {SIGTERM, SIGINT}) {
        for (const std::uint64_t moment : {1U, 2U, 5U, 9U, 14U, 20U}) {
            CAPTURE(signal);
            CAPTURE(moment);
            Scene scene;
            populate(scene, rows);
            // From that request on nothing is answered: it cannot be done before the signal.
            scene.server.set_rule(
                [moment](const simulator::Request& request) -> std::optional<simulator::Fault> {
                    if (request.number < moment) {
                        return std::nullopt;
                    }
                    return simulator::faults::delivery(simulator::Delivery::hang);
                });
            const auto process = scene.start({"sync"});
            REQUIRE(reached(scene, moment));
            process->signal(signal);
            CHECK(process->wait() == 128 + signal);
            CHECK(process->err().find("stopped") != std::string::npos);
            CHECK(process->out() == "");
            CHECK(scene.query("PRAGMA integrity_check") == "ok");
            CHECK(scene.query("SELECT outcome FROM runs ORDER BY id DESC LIMIT 1") == "stopped");
            scene.server.set_rule({});
            CHECK(scene.complaint(scene.run({"sync"})) == "");
            CHECK(scene.server.counters().rows <= rows * 22 / 10);
        }
    }
}

TEST_CASE("kill: SIGTERM keeps what windows at work have") {
    for (const auto order : {simulator::Order::by_time, simulator::Order::by_id}) {
        simulator::Behaviour behaviour;
        behaviour.order = order;
        Scene scene(behaviour);
        scene.configure("api", "page_size = 100\n");
        scene.reconfigure("api", "requests_per_second = 100000", "requests_per_second = 40");
        scene.configure("mirror", "start = \"2026-06-01\"\n");
        populate(scene, rows);
        const auto process = scene.start({"sync"});
        REQUIRE(reached(scene, 60));
        process->signal(SIGTERM);
        CHECK(process->wait() == 143);
        // At 60 requests of a hundred rows each, little but the last pages at work may be lost.
        CHECK(std::stoll(scene.query("SELECT count(*) FROM " + scene.view())) >= 3000);
        CHECK(scene.complaint(scene.run({"sync"})) == "");
    }
}

TEST_CASE("kill: SIGTERM again and again, and each run gets on") {
    using namespace std::chrono_literals;
    struct Case {
        std::chrono::milliseconds latency;
        std::uint64_t requests;  // before each signal: what five seconds allow
        int stops;
        std::uint64_t rows;
    };
    for (const Case& c : {Case{200ms, 40, 4, 20'000}, Case{1000ms, 12, 3, 4000}}) {
        for (const auto order : {simulator::Order::by_time, simulator::Order::by_id}) {
            CAPTURE(c.latency.count());
            simulator::Behaviour behaviour;
            behaviour.order = order;
            behaviour.latency = c.latency;
            Scene scene(behaviour);
            scene.configure("api", "page_size = 100\n");
            scene.configure("mirror", "start = \"2026-06-01\"\n");
            populate(scene, c.rows);
            std::int64_t complete = 0;  // seconds
            for (int stop = 0; stop < c.stops; ++stop) {
                CAPTURE(stop);
                scene.server.start_over();
                const auto process = scene.start({"sync"});
                REQUIRE(reached(scene, c.requests));
                // `timeout` signals twice, too: the process and its group.
                process->signal(SIGTERM);
                process->signal(SIGTERM);
                REQUIRE(process->wait() == 143);
                const std::int64_t now = std::stoll(scene.query(
                    "SELECT ifnull(sum(\"end\" - \"begin\"), 0) FROM coverage WHERE age = 0"));
                CHECK(now > complete);
                complete = now;
            }
            // What is marked as complete is complete.
            CHECK(scene.run({"audit", "--json"}).out.find(R"("places":[])") != std::string::npos);
        }
    }
}

TEST_CASE("kill: a signal ends a wait that the API asked for") {
    Scene scene;
    populate(scene, 100);
    scene.configure("mirror", "give_up_after = \"2h\"\n");
    scene.server.set_rule(simulator::rules::always(simulator::faults::too_many_requests("600")));
    const auto process = scene.start({"sync"});
    REQUIRE(reached(scene, 2));
    process->signal(SIGTERM);
    CHECK(process->wait() == 143);
    scene.server.set_rule({});
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}

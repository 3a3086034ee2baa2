// Several streams in one file.
#include <csignal>
#include <string>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include "tests/end_to_end/scene.hpp"
#include "tests/simulator/story.hpp"

using namespace mirror;
using namespace mirror::test;
using simulator::StreamId;

namespace {

// An account in which everything has happened.
void populate_all(Scene& scene) {
    populate(scene, 2000);
    simulator::Story story;
    story.end = present() - Seconds(3600);
    simulator::tell(scene.account, story);
}

std::string differences(const Scene& scene) {
    std::string words;
    for (const StreamId stream : simulator::all_streams) {
        words += scene.difference(stream);
    }
    return words;
}

boost::json::object status_of(Scene& scene) {
    return boost::json::parse(scene.run({"status", "--json"}).out).as_object();
}

}  // namespace

TEST_CASE("streams: all of them are exact, under every order") {
    for (const auto order : {simulator::Order::by_time, simulator::Order::by_id,
                             simulator::Order::by_time_descending}) {
        for (const auto bound : {simulator::Bound::inclusive, simulator::Bound::exclusive}) {
            simulator::Behaviour behaviour;
            behaviour.order = order;
            behaviour.begin = bound;
            behaviour.end = bound;
            Scene scene(behaviour);
            scene.configure("mirror", "streams = \"all\"\n");
            populate_all(scene);
            const Run first = scene.run({"sync"});
            CAPTURE(first.err);
            CHECK(first.code == 0);
            CHECK(differences(scene) == "");
            CHECK(first.out.find("\nmailings: complete from ") != std::string::npos);
            // Nothing is new, and each stream costs little.
            scene.server.clock().advance(Seconds(60));
            scene.server.start_over();
            CHECK(scene.run({"sync"}).code == 0);
            CHECK(differences(scene) == "");
            CHECK(scene.requests() <= 7 * 4 + 4);
        }
    }
}

TEST_CASE("streams: one that the token may not read is named, and the others are complete") {
    for (const unsigned status : {403U, 404U}) {
        for (const auto call : {simulator::Call::impressions, simulator::Call::errors}) {
            CAPTURE(status);
            simulator::Behaviour behaviour;
            behaviour.refused[call] = status;
            Scene scene(behaviour);
            scene.configure("mirror", "streams = \"all\"\n");
            populate_all(scene);
            const Run run = scene.run({"sync"});
            CAPTURE(run.err);
            CHECK(run.code == 5);
            const bool first = call == simulator::Call::impressions;
            const StreamId refused = first ? StreamId::impressions : StreamId::errors;
            const std::string name(simulator::facts_of(refused).name);
            CHECK(run.out.find(name + ": NOT fetched") != std::string::npos);
            for (const StreamId stream : simulator::all_streams) {
                CHECK((scene.difference(stream) == "") == (stream != refused));
            }
            const auto json = status_of(scene);
            CHECK(json.at("last_error").as_string().find(std::to_string(status)) !=
                  std::string::npos);
            CHECK(json.at("streams").at(name).at("complete_through").is_null());
            CHECK(json.at("streams").at("clicks").at("gaps").as_array().empty());
            CHECK(scene.run({"status"}).out.starts_with(name + ": stuck"));
            const Run check = scene.run({"check"});
            CHECK(check.code == 1);
            CHECK(check.out.find("does not serve " + name) != std::string::npos);
        }
    }
}

TEST_CASE("streams: one is switched on later, and off again") {
    Scene scene;
    populate_all(scene);
    REQUIRE(scene.run({"sync"}).code == 0);
    CHECK(scene.query("SELECT count(*) FROM clicks") == "0");
    scene.configure("mirror", "streams = [\"impressions\", \"clicks\"]\n");
    CHECK(scene.run({"sync"}).code == 0);
    CHECK(scene.difference(StreamId::clicks) == "");
    scene.reconfigure("mirror", "streams = [\"impressions\", \"clicks\"]",
                      "streams = [\"mailings\"]");
    CHECK(scene.run({"sync"}).code == 0);
    CHECK(scene.difference(StreamId::mailings) == "");
    CHECK(scene.difference(StreamId::clicks) == "");  // its rows stay
    CHECK(scene.run({"status"}).out.find("not followed any more") != std::string::npos);
    CHECK(status_of(scene).at("streams").at("clicks").at("followed") == false);
}

TEST_CASE("streams: only those that are named") {
    Scene scene;
    scene.configure("mirror", "streams = \"all\"\n");
    populate_all(scene);
    CHECK(scene.run({"sync", "--stream", "deliveries", "--stream", "errors"}).code == 0);
    CHECK(scene.difference(StreamId::deliveries) == "");
    CHECK(scene.difference(StreamId::errors) == "");
    CHECK(scene.query("SELECT count(*) FROM impressions") == "0");
    CHECK(scene.run({"audit", "--stream", "errors"}).code == 0);
    const Run unknown = scene.run({"sync", "--stream", "opens"});
    CHECK(unknown.code == 2);
    CHECK(unknown.err.find("unknown stream \"opens\"; known are impressions, clicks") !=
          std::string::npos);
    scene.reconfigure("mirror", "streams = \"all\"", "streams = [\"opens\"]");
    CHECK(scene.run({"sync"}).code == 2);
}

TEST_CASE("streams: `run` follows all of them, and is exact after a kill") {
    Scene scene;
    scene.configure("mirror", "streams = \"all\"\npoll_interval = \"1s\"\n");
    populate_all(scene);
    for (const std::uint64_t moment : {20U, 40U, 60U}) {
        scene.server.start_over();
        const auto process = scene.start({"run"});
        REQUIRE(scene.server.wait(
            [moment](const simulator::Counters& counters) { return counters.requests >= moment; }));
        process->signal(SIGKILL);
        process->wait();
        CHECK(scene.query("PRAGMA integrity_check") == "ok");
    }
    CHECK(scene.run({"sync"}).code == 0);
    CHECK(differences(scene) == "");
}

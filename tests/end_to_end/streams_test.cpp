// Several streams in one file.
#include <csignal>
#include <filesystem>
#include <iterator>
#include <string>
#include <utility>
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

// An account with events of all streams, and the streams that are mirrored: all, unless a test
// chooses others ("": the default).
struct Everything {
    explicit Everything(simulator::Behaviour behaviour = {},
                        const std::string& streams = "streams = \"all\"\n")
        : scene(std::move(behaviour)) {
        scene.configure("mirror", streams);
        populate(scene, 2000);
        simulator::Story story;
        story.end = present() - Seconds(3600);
        simulator::tell(scene.account, story);
        for (const StreamId stream : simulator::all_streams) {
            CAPTURE(simulator::facts_of(stream).name);
            REQUIRE_FALSE(scene.server.truth(stream).empty());
        }
    }

    // Of all streams.
    std::string differences() const {
        std::string words;
        for (const StreamId stream : simulator::all_streams) {
            words += scene.difference(stream);
        }
        return words;
    }

    boost::json::object json(const std::vector<std::string>& arguments) {
        return boost::json::parse(scene.run(arguments).out).as_object();
    }

    std::string count(const std::string& view) const {
        return scene.query("SELECT count(*) FROM " + view);
    }

    Scene scene;
};

// The token may not read it.
simulator::Behaviour refusing(simulator::Call call, unsigned status) {
    simulator::Behaviour behaviour;
    behaviour.refused[call] = status;
    return behaviour;
}

const std::string unknown =
    "unknown stream \"opens\"; known are impressions, clicks, deliveries, errors, abuses, "
    "unsubscribes, mailings";

}  // namespace

TEST_CASE("streams: all of them are exact, under every order") {
    for (const auto order : {simulator::Order::by_time, simulator::Order::by_id,
                             simulator::Order::by_time_descending}) {
        for (const auto bound : {simulator::Bound::inclusive, simulator::Bound::exclusive}) {
            simulator::Behaviour behaviour;
            behaviour.order = order;
            behaviour.begin = bound;
            behaviour.end = bound;
            Everything all(behaviour);
            const Run first = all.scene.run({"sync"});
            CAPTURE(first.err);
            CHECK(first.code == 0);
            CHECK(all.differences() == "");
            CHECK(first.out.find("\nmailings: complete from ") != std::string::npos);
            // Nothing is new, and each stream costs little.
            all.scene.server.clock().advance(Seconds(60));
            all.scene.server.start_over();
            CHECK(all.scene.run({"sync"}).code == 0);
            CHECK(all.differences() == "");
            CHECK(all.scene.requests() <= 7 * 4 + 4);
        }
    }
}

TEST_CASE("streams: one that the token may not read is named, and the others are complete") {
    for (const unsigned status : {403U, 404U}) {
        for (const StreamId refused : {StreamId::impressions, StreamId::errors}) {
            CAPTURE(status);
            Everything all(refusing(simulator::call_of(refused), status));
            Scene& scene = all.scene;
            const Run run = scene.run({"sync"});
            CAPTURE(run.err);
            CHECK(run.code == 5);
            const std::string name(simulator::facts_of(refused).name);
            CHECK(run.out.find(name + ": NOT fetched") != std::string::npos);
            for (const StreamId stream : simulator::all_streams) {
                CHECK((scene.difference(stream) == "") == (stream != refused));
            }
            const auto json = all.json({"status", "--json"});
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
    Everything all({}, "");
    Scene& scene = all.scene;
    REQUIRE(scene.run({"sync"}).code == 0);
    CHECK(all.count("clicks") == "0");
    scene.configure("mirror", "streams = [\"impressions\", \"clicks\"]\n");
    CHECK(scene.run({"sync"}).code == 0);
    CHECK(scene.difference(StreamId::clicks) == "");
    scene.reconfigure("mirror", "streams = [\"impressions\", \"clicks\"]",
                      "streams = [\"mailings\"]");
    CHECK(scene.run({"sync"}).code == 0);
    CHECK(scene.difference(StreamId::mailings) == "");
    CHECK(scene.difference(StreamId::clicks) == "");  // its rows stay
    CHECK(scene.run({"status"}).out.find("not followed any more") != std::string::npos);
    CHECK(all.json({"status", "--json"}).at("streams").at("clicks").at("followed") == false);
}

TEST_CASE("streams: a snapshot says what it has of each") {
    Everything all;
    Scene& scene = all.scene;
    REQUIRE(scene.run({"sync"}).code == 0);
    const auto copy = scene.directory() / "copy.db";
    const Run taken = scene.run({"snapshot", copy.string()});
    CHECK(taken.code == 0);
    for (const StreamId stream : simulator::all_streams) {
        const std::string name(simulator::facts_of(stream).name);
        CAPTURE(name);
        const auto line = taken.out.find("\n" + name + ": ");
        REQUIRE(line != std::string::npos);
        const std::string said = taken.out.substr(line, taken.out.find('\n', line + 1) - line);
        CHECK(said.find(", complete from ") != std::string::npos);
        std::string rows = said.substr(name.size() + 3, said.find(" row") - name.size() - 3);
        std::erase(rows, ',');
        CHECK(rows == all.count(name));
    }
    std::string all_rows = taken.out.substr(0, taken.out.find(" rows\n"));
    all_rows = all_rows.substr(all_rows.rfind(' ') + 1);
    std::erase(all_rows, ',');
    std::string sum = "SELECT 0";
    for (const StreamId stream : simulator::all_streams) {
        sum += " + (SELECT count(*) FROM " + std::string(simulator::facts_of(stream).name) + ")";
    }
    CHECK(all_rows == scene.query(sum));
}

TEST_CASE("streams: a snapshot of one that is not the first") {
    Everything all({}, "streams = [\"clicks\"]\n");
    Scene& scene = all.scene;
    REQUIRE(scene.run({"sync"}).code == 0);
    const Run taken = scene.run({"snapshot", (scene.directory() / "copy.db").string()});
    CHECK(taken.out.find(" 0 rows") == std::string::npos);
    CHECK(taken.out.find(", complete from ") != std::string::npos);
}

TEST_CASE("streams: only those that are named") {
    Everything all;
    Scene& scene = all.scene;
    CHECK(scene.run({"sync", "--stream", "deliveries", "--stream", "errors"}).code == 0);
    CHECK(scene.difference(StreamId::deliveries) == "");
    CHECK(scene.difference(StreamId::errors) == "");
    CHECK(all.count("impressions") == "0");
    CHECK(scene.run({"audit", "--stream", "errors"}).code == 0);

    CHECK(scene.run({"backfill", "--from", "2026-06-01", "--stream", "clicks"}).code == 0);
    CHECK(scene.difference(StreamId::clicks) == "");
    CHECK(all.count("impressions") == "0");
    CHECK(all.count("mailings") == "0");
}

TEST_CASE("streams: an unknown name is answered with the known ones") {
    Scene scene;
    const Run option = scene.run({"sync", "--stream", "opens"});
    CHECK(option.code == 2);
    CHECK(option.err.find("--stream: " + unknown) != std::string::npos);
    scene.configure("mirror", "streams = [\"opens\"]\n");
    const Run configuration = scene.run({"sync"});
    CHECK(configuration.code == 2);
    CHECK(configuration.err.find("[mirror] streams: " + unknown) != std::string::npos);
}

TEST_CASE("streams: an audit of two, one of which the API refuses") {
    Everything all;
    Scene& scene = all.scene;
    REQUIRE(scene.run({"sync"}).code == 0);
    const std::vector<std::string> audit{"audit",  "--json",   "--stream",
                                         "clicks", "--stream", "errors"};
    const auto good = all.json(audit);
    CHECK(good.at("agrees") == true);
    CHECK(good.at("streams").as_object().size() == 2);
    CHECK(good.at("streams").at("errors").at("agrees") == true);

    scene.server.change(
        [](simulator::Behaviour& behaviour) { behaviour.refused[simulator::Call::errors] = 403; });
    const Run run = scene.run(audit);
    CAPTURE(run.out);
    CAPTURE(run.err);
    CHECK(run.code == 5);
    const auto report = boost::json::parse(run.out).as_object();
    CHECK(report.size() == 2);
    CHECK(report.at("agrees") == false);
    const auto& by_stream = report.at("streams").as_object();
    CHECK(by_stream.size() == 2);
    CHECK(by_stream.at("clicks").at("agrees") == true);
    CHECK(by_stream.at("clicks").at("places").as_array().empty());
    CHECK(by_stream.at("errors").as_object().size() == 1);
    CHECK(by_stream.at("errors").at("failed").as_string().find("403") != std::string::npos);
}

TEST_CASE("streams: what loads take is told one by one and together, a refused one by name") {
    Everything all(refusing(simulator::Call::errors, 403));
    const Run told = all.scene.run({"sync", "--estimate"});
    CAPTURE(told.out);
    CHECK(told.code == 5);
    CHECK(told.out.find("impressions: about 2,") != std::string::npos);
    CHECK(told.out.find("\nerrors: NOT counted: ") != std::string::npos);
    CHECK(told.out.find("\nmailings: about ") != std::string::npos);
    CHECK(told.out.find("\ntogether: about ") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(all.scene.database()));
}

TEST_CASE("streams: indexes of one stream are in its table, and only there") {
    Everything all({}, "streams = [\"clicks\", \"errors\"]\n");
    Scene& scene = all.scene;
    scene.configure("streams.clicks", "indexes = [\"profile\", \"changed_at\"]\n");
    REQUIRE(scene.run({"sync"}).code == 0);
    const auto indexes = [&](const std::string& table) {
        return scene.query(
            "SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_master WHERE type = "
            "'index' AND sql IS NOT NULL AND tbl_name = '" +
            table + "' ORDER BY name)");
    };
    CHECK(indexes("click_rows") ==
          "click_rows_changed_at click_rows_profile click_rows_removed click_rows_timestamp");
    CHECK(indexes("error_rows") == "error_rows_mailing error_rows_removed error_rows_timestamp");
}

TEST_CASE("streams: `run` tells once of a token that is refused, not for each of them") {
    Everything all;
    all.scene.token = "another-token";
    const auto process = all.scene.start({"run"});
    // Each of them asks whose token it is.
    REQUIRE(all.scene.server.wait([](const simulator::Counters& counters) {
        return counters.requests >= std::size(simulator::all_streams);
    }));
    process->signal(SIGTERM);
    CHECK(process->wait() == 0);
    const std::string log = process->err();
    CAPTURE(log);
    const std::size_t first = log.find("Invalid access token");
    REQUIRE(first != std::string::npos);
    CHECK(log.find("Invalid access token", first + 1) == std::string::npos);
    CHECK(log.find("impressions: ") == std::string::npos);
}

TEST_CASE("streams: `run` follows all of them, and is exact after a kill") {
    Everything all;
    Scene& scene = all.scene;
    scene.configure("mirror", "poll_interval = \"1s\"\n");
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
    CHECK(all.differences() == "");
}

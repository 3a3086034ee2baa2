// A canary in every field of every stream that may tell of a person: it is in the file, and nowhere
// that people, logs or monitoring look.
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/end_to_end/scene.hpp"
#include "tests/simulator/streams.hpp"

using namespace mirror;
using namespace mirror::test;
using simulator::StreamId;

namespace {

// A text that no encoding changes, and IDs that no time and no count is.
const std::string word = "Kanarie7zR4mLk";
const std::string address = "198.51.100.231";
constexpr std::int64_t destination = 880'100'299;
constexpr std::int64_t profile = 880'200'399;
constexpr std::int64_t subprofile = 880'300'499;

simulator::Row canaries(std::int64_t id, Instant at) {
    simulator::Row made;
    made.id = id;
    made.at = at;
    made.mailing = 400 + id % 3;
    made.ip = address;
    made.useragent = word + "/9.9";
    made.device = word;
    made.destination = destination;
    made.profile = profile;
    made.subprofile = subprofile;
    made.link = "https://" + word + ".example/{$profile.name}";
    made.attempts = 1;
    made.status = word;
    made.errorcode = word;
    made.description = word + " is over quota";
    made.errortype = word;
    made.report = "{\"from\":\"" + word + "\"}";
    made.source = word;
    made.template_id = 1;
    made.subject = word;
    made.from_name = word;
    made.from_email = word + "@example.com";
    made.destinations = 1;
    made.type = word;
    made.target = "{\"name\":\"" + word + "\"}";
    made.extra = fmt::format(R"("{0}":"{0}","country":{{"name":"{0}"}})", word);
    return made;
}

// All kinds of event, and in each of them a record that cannot be a row.
void populate_with_canaries(Scene& scene) {
    populate(scene, 300);
    for (const StreamId stream : simulator::all_streams) {
        scene.account.choose(stream);
        for (std::int64_t id = 7'000'001; id <= 7'000'020; ++id) {
            scene.account.add(canaries(id, present() - std::chrono::hours(20 * (7'000'021 - id))));
        }
        simulator::Row unusable = canaries(7'000'030, present() - std::chrono::hours(30));
        unusable.raw =
            fmt::format(R"({{"ID":"{0}","id":"{0}","timestamp":"{0}","ip":"{1}","profile":{2}}})",
                        word, address, profile);
        scene.account.add(unusable);
    }
    scene.account.choose(StreamId::impressions);
}

std::string leak_in(const std::string& where, const std::string& text) {
    for (const std::string& canary : {word, address, std::to_string(destination),
                                      std::to_string(profile), std::to_string(subprofile)}) {
        if (text.find(canary) != std::string::npos) {
            return fmt::format("\n{} has {}: {}", where, canary, text);
        }
    }
    return "";
}

}  // namespace

TEST_CASE("privacy: what people, logs and monitoring see has nothing of people") {
    for (const char* const format : {"text", "json"}) {
        Scene scene;
        scene.configure("mirror", "streams = \"all\"\n");
        populate_with_canaries(scene);
        std::string leaks;
        const auto metrics = (scene.directory() / "metrics.prom").string();
        const auto play = [&](std::vector<std::string> command) {
            const std::string name = command.front();
            command.insert(command.end(), {"--log-level", "trace", "--log-format", format});
            const Run run = scene.run(command);
            CAPTURE(name);
            CHECK(run.code != 70);
            leaks += leak_in(name, run.out + run.err);
        };
        play({"sync", "--metrics-file", metrics});
        CHECK(bytes_of(scene.database()).find(word) != std::string::npos);
        leaks += leak_in("metrics", bytes_of(metrics));
        // Rows change, move, and go.
        for (const StreamId stream : simulator::all_streams) {
            scene.account.choose(stream);
            scene.account.change(7'000'018, [](simulator::Row& row) {
                row.at += Seconds(90);
                row.mailing = 999;
            });
            scene.account.change(7'000'017, [](simulator::Row& row) { row.ip = address + "x"; });
            scene.account.remove(7'000'016);
        }
        scene.account.choose(StreamId::impressions);
        play({"audit"});
        play({"audit", "--json"});
        play({"audit", "--repair", "--prune", "--yes", "--metrics-file", metrics});
        play({"backfill", "--from", "2026-01-01", "--force", "--metrics-file", metrics});
        leaks += leak_in("metrics", bytes_of(metrics));
        play({"backfill", "--from", "2026-01-01", "--estimate"});
        play({"status"});
        play({"status", "--json"});
        play({"check"});
        play({"check", "--json"});
        leaks += leak_in("runs", scene.query("SELECT group_concat(outcome || ifnull(unread, '')) "
                                             "FROM runs"));
        leaks += leak_in("mirror", scene.query("SELECT group_concat(key || value) FROM mirror"));
        play({"erase", "--ip", address, "--profile", std::to_string(profile), "--dry-run"});
        play({"erase", "--destination", std::to_string(destination), "--stream", "clicks"});
        play({"erase", "--ip", address, "--profile", std::to_string(profile)});
        play({"erase", "--ip", address, "--profile", word});
        play({"erase", "--ip", address + "/32"});
        play({"status"});
        play({"sync"});
        CHECK(leaks == "");
    }
}

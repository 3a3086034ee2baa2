// A canary in every field of every stream that may tell of a person: it is in the file, and nowhere
// that people, logs or monitoring look. What [privacy] does not keep is not even in the file.
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
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
        play({"audit", "--statistics"});
        play({"audit", "--statistics", "--json"});
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

namespace {

const std::string agent = word + "/9.9";

// An address and a user agent wherever a record may have one: in its field, in one of another kind,
// in one that is not known, deeper, and in what cannot be a row.
void populate_with_people(Scene& scene) {
    populate(scene, 300);
    const std::string fields =
        fmt::format(R"("user_agent":"{1}","ip_address":"{0}","more":{{"list":[{{"ip":"{0}",)"
                    R"("useragent":"{1}"}}]}})",
                    address, agent);
    for (const StreamId stream : simulator::all_streams) {
        scene.account.choose(stream);
        for (std::int64_t id = 7'000'001; id <= 7'000'020; ++id) {
            simulator::Row made = row(id, present() - std::chrono::hours(20 * (7'000'021 - id)));
            made.ip = address;
            made.useragent = agent;
            made.report = fmt::format(R"({{"ip":"{}","User-Agent":"{}"}})", address, agent);
            made.extra = fields;
            scene.account.add(made);
        }
        for (std::int64_t id = 7'000'030; id <= 7'000'032; ++id) {
            simulator::Row unusable = row(id, present() - std::chrono::hours(30));
            unusable.raw = fmt::format(
                R"({{"ID":{{"ip":"{0}"}},"id":{{"useragent":"{1}"}},"timestamp":"x","ip":"{0}",)"
                R"("useragent":"{1}",{2}}})",
                "198.51.100." + std::to_string(200 + id % 10), agent, fields);
            scene.account.add(unusable);
        }
    }
    scene.account.choose(StreamId::impressions);
}

std::string found_in_files(const Scene& scene, const std::string& text) {
    for (const char* const suffix : {"", "-wal", "-shm"}) {
        if (bytes_of(scene.database().string() + suffix).find(text) != std::string::npos) {
            return text + " is in the file" + suffix;
        }
    }
    return "";
}

// Whether the API's counts and the file's agree, whatever was cut.
void check_agreement(Scene& scene) {
    for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
             {"sync"}, {"audit"}, {"backfill", "--from", "2026-01-01", "--force"}, {"audit"}}) {
        CAPTURE(command.front());
        const Run run = scene.run(command);
        CAPTURE(run.out);
        CAPTURE(run.err);
        CHECK(run.code == 0);
    }
}

bool says_mix(Scene& scene) {
    const auto all = boost::json::parse(scene.run({"status", "--json"}).out);
    return all.at("privacy").at("mix").as_bool();
}

}  // namespace

TEST_CASE("privacy: what is not kept is never in the file") {
    const struct {
        const char* lines;
        bool networks;  // are kept
        bool agents;
    } kinds[] = {{"ip = \"network\"\n", true, true},
                 {"ip = \"none\"\n", false, true},
                 {"useragent = \"none\"\nip = \"none\"\n", false, false}};
    for (const auto& kind : kinds) {
        CAPTURE(std::string(kind.lines));
        Scene scene;
        scene.configure("mirror", "streams = \"all\"\n");
        scene.configure("privacy", kind.lines);
        populate_with_people(scene);
        const Run run = scene.run({"sync"});
        CAPTURE(run.err);
        CHECK(run.code == 0);
        CHECK(found_in_files(scene, address) == "");
        CHECK((found_in_files(scene, "198.51.100.0") == "") == !kind.networks);
        CHECK((found_in_files(scene, word) == "") == !kind.agents);
        CHECK(scene.query("SELECT count(*) FROM impressions WHERE id > 7000000") == "20");
        check_agreement(scene);
        CHECK(found_in_files(scene, "198.51.100.2") == "");
        CHECK_FALSE(says_mix(scene));
    }
}

TEST_CASE("privacy: what is not kept any more is taken out beside a `run`, also after a kill") {
    Scene scene;
    scene.configure("mirror", "streams = \"all\"\npoll_interval = \"1s\"\n");
    scene.configure("privacy", "ip = \"full\"\nuseragent = \"full\"\n");
    populate_with_people(scene);
    REQUIRE(scene.run({"sync"}).code == 0);
    CHECK(found_in_files(scene, address) != "");
    CHECK(found_in_files(scene, word) != "");
    // More rows than one portion takes.
    {
        SQLite::Database sql(scene.database().string(), SQLite::OPEN_READWRITE);
        sql.exec(fmt::format(R"(
            WITH RECURSIVE n(id) AS (SELECT 8000000 UNION ALL SELECT id + 1 FROM n
                                     WHERE id < 8200000)
            INSERT INTO impression_rows (id, timestamp, ip, user_agent, first_seen, changed_at,
                                         removed_at)
            SELECT id, '2020-01-01 00:00:00', '{}',
                   (SELECT id FROM user_agents WHERE useragent = '{}'), 5, 5, 5 FROM n)",
                             address, agent));
    }
    scene.reconfigure("privacy", "ip = \"full\"", "ip = \"network\"");
    scene.reconfigure("privacy", "useragent = \"full\"", "useragent = \"none\"");
    const auto until = [&](const std::string& question) {
        for (int look = 0; look < 2000 && scene.query(question) == "0"; ++look) {
            const std::uint64_t requests = scene.requests() + 1;
            REQUIRE(scene.server.wait([requests](const simulator::Counters& counters) {
                return counters.requests >= requests;
            }));
        }
        CHECK(scene.query(question) != "0");
    };
    auto process = scene.start({"run"});
    until("SELECT count(*) FROM mirror WHERE key = 'rewritten_to' AND value <> ''");
    process->signal(SIGKILL);
    process->wait();
    const std::string left =
        scene.query("SELECT count(*) FROM impression_rows WHERE ip = '" + address + "'");
    CHECK(left != "0");
    CHECK(says_mix(scene));
    CHECK(scene.run({"status"}).out.find("until all have, the file has a mix") !=
          std::string::npos);

    process = scene.start({"run"});
    until("SELECT count(*) FROM mirror WHERE key = 'rewritten_to' AND value <> ''");
    // An erasure has its turn.
    CHECK(scene.run({"erase", "--profile", "999999"}).code == 0);
    // Another configuration is refused beside it; the same one is not.
    CHECK(scene.run({"sync"}).code == 0);
    scene.reconfigure("privacy", "ip = \"network\"", "ip = \"full\"");
    const Run other = scene.run({"sync"});
    CHECK(other.code == 2);
    CHECK(other.err.find("give both the same configuration, and restart `run`") !=
          std::string::npos);
    scene.reconfigure("privacy", "ip = \"full\"", "ip = \"network\"");
    until("SELECT count(*) = 0 FROM mirror WHERE key = 'rewritten_to' AND value <> ''");
    CHECK(found_in_files(scene, "198.51.100.2") == "");
    CHECK(found_in_files(scene, word) == "");
    CHECK_FALSE(says_mix(scene));
    process->signal(SIGTERM);
    CHECK(process->wait() == 0);
    CHECK(scene.run({"status"}).out.find("ip = \"network\", useragent = \"none\"") !=
          std::string::npos);
    check_agreement(scene);
    CHECK(scene.query("SELECT count(*) FROM opens WHERE id > 7000000 AND id < 8000000 "
                      "AND kind = 'person'") == "0");
}

TEST_CASE("privacy: more is kept again of what is read again") {
    Scene scene;
    scene.configure("privacy", "ip = \"none\"\n");
    populate_with_people(scene);
    REQUIRE(scene.run({"sync"}).code == 0);
    scene.reconfigure("privacy", "ip = \"none\"", "ip = \"full\"");
    CHECK(scene.run({"sync"}).code == 0);
    CHECK(says_mix(scene));
    CHECK(scene.run({"status"}).out.find("may have no more than ip = \"none\"") !=
          std::string::npos);
    CHECK(scene.run({"audit"}).code == 0);
    CHECK(scene.run({"backfill", "--from", "2026-01-01", "--force"}).code == 0);
    CHECK(scene.difference() == "");
    CHECK(scene.query("SELECT count(*) FROM impressions WHERE ip = '" + address + "'") == "20");
}

TEST_CASE("privacy: erase --ip says what an address cannot find") {
    Scene scene;
    scene.configure("privacy", "ip = \"network\"\n");
    populate_with_people(scene);
    REQUIRE(scene.run({"sync"}).code == 0);
    const Run refused = scene.run({"erase", "--ip", address});
    CHECK(refused.code == 2);
    CHECK(refused.err.find("keeps the networks of addresses only") != std::string::npos);
    CHECK(leak_in("erase", refused.err) == "");
    CHECK(scene.run({"erase", "--ip", address, "--dry-run"}).code == 2);
    const Run network = scene.run({"erase", "--ip", "198.51.100.0", "--stream", "impressions"});
    CHECK(network.code == 0);
    CHECK(network.out.find("impressions: 20 rows and ") == 0);
    CHECK(scene.run({"sync"}).code == 0);
    CHECK(scene.query("SELECT count(*) FROM impressions WHERE ip = '198.51.100.0'") == "0");
    scene.reconfigure("privacy", "ip = \"network\"", "ip = \"none\"");
    REQUIRE(scene.run({"sync"}).code == 0);
    const Run none = scene.run({"erase", "--ip", "198.51.100.0"});
    CHECK(none.code == 2);
    CHECK(none.err.find("the file keeps no addresses") != std::string::npos);
    scene.reconfigure("privacy", "ip = \"none\"", "ip = \"full\"");
    REQUIRE(scene.run({"sync"}).code == 0);
    const Run mixed = scene.run({"erase", "--ip", address});
    CHECK(mixed.code == 0);
    CHECK(mixed.err.find("--ip does not find these") != std::string::npos);
}

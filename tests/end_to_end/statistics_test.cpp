// `audit --statistics`: each mailing of the file against the API's own count of it.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/record/stream.hpp"
#include "core/time/text.hpp"
#include "tests/end_to_end/scene.hpp"

using namespace mirror;
using namespace mirror::test;
using simulator::Call;
using simulator::StreamId;
namespace faults = simulator::faults;

namespace {

// The account that docs/queries.md asks, or one tenth of it, mirrored with all of its streams.
struct Demonstration {
    explicit Demonstration(int version, simulator::Behaviour behaviour = {},
                           std::uint64_t rows = 2000)
        : scene(std::move(behaviour)) {
        if (version == 4) {
            scene.use_version_4();
        }
        scene.configure("mirror", "streams = \"all\"\n");
        demonstrate(scene, rows);
        const Run first = scene.run({"sync"});
        CAPTURE(first.err);
        REQUIRE(first.code == 0);
        scene.server.start_over();
    }

    Run audit(std::vector<std::string> more = {}) {
        more.insert(more.begin(), {"audit", "--statistics"});
        return scene.run(more);
    }

    // Everything but runs and the count of requests.
    std::string contents() const {
        std::string all;
        for (const StreamId stream : simulator::all_streams) {
            const Stream& of = *find_stream(simulator::facts_of(stream).name);
            all += scene.query(
                fmt::format("SELECT count(*) || ' ' || sum(id) || ' ' || max(changed_at) || ' ' || "
                            "count(removed_at) FROM {}",
                            of.table));
        }
        return all +
               scene.query(
                   "SELECT group_concat(stream || age || \"begin\" || \"end\") FROM "
                   "coverage") +
               scene.query(
                   "SELECT group_concat(stream || key || value) FROM (SELECT * FROM mirror "
                   "ORDER BY stream, key)");
    }

    // Requests for statistics, since the sync.
    std::ptrdiff_t asked() const {
        const auto log = scene.server.log();
        return std::count_if(log.begin(), log.end(), [](const simulator::LogEntry& entry) {
            return entry.request.call == Call::statistics && entry.status == 200;
        });
    }

    Scene scene;
};

boost::json::object json(const Run& run) {
    CAPTURE(run.out);
    CAPTURE(run.err);
    return boost::json::parse(run.out).as_object();
}

bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("statistics: the demonstration account agrees, on both versions of the API") {
    struct Example {
        int version;
        simulator::Bound bound;
    };
    for (const Example& example :
         {Example{3, simulator::Bound::inclusive}, Example{4, simulator::Bound::exclusive}}) {
        CAPTURE(example.version);
        simulator::Behaviour behaviour;
        behaviour.begin = example.bound;
        behaviour.end = example.bound;
        Demonstration all(example.version, behaviour, 20'000);
        const std::string before = all.contents();
        const Run run = all.audit();
        CAPTURE(run.out);
        CAPTURE(run.err);
        CHECK(run.code == 0);
        CHECK(run.out.starts_with("the file agrees with the API's statistics: 4 mailings from "));
        CHECK(holds(run.out, "requests\n"));
        CHECK(std::count(run.out.begin(), run.out.end(), '\n') == 1);
        CHECK(all.contents() == before);
        const auto report = json(all.audit({"--json"}));
        CHECK(report.at("agrees") == true);
        CHECK(report.at("mailings") == 4);
        CHECK(report.at("streams").as_array().size() == 6);
        CHECK(all.scene.query("SELECT count(*) FROM runs WHERE kind = 'audit' AND outcome = "
                              "'done'") == "12");
        // And where it was asked for: once for each mailing and audit.
        CHECK(all.asked() == 8);
    }
}

TEST_CASE("statistics: a period without events is said to be one") {
    Demonstration demo(3);
    const Run run = demo.audit({"--from", "2001-01-01", "--to", "2001-02-01"});
    CHECK(run.code == 0);
    CHECK(
        run.out.starts_with("the file has no event of a mailing in that period, so nothing was "
                            "compared: 0 mailings from 2001-01-01 00:00:00 to "));
}

TEST_CASE("statistics: a row that is missing, one too many, another destination, of any stream") {
    for (const int version : {3, 4}) {
        CAPTURE(version);
        Demonstration all(version);
        Scene& scene = all.scene;
        struct Change {
            std::string stream;
            std::string sql;
            std::string number;
        };
        const std::vector<Change> changes{
            {"impressions", "DELETE FROM impression_rows WHERE id = 900", "total"},
            {"clicks",
             "INSERT INTO click_rows (mailing, timestamp, destination, first_seen, "
             "changed_at) SELECT mailing, timestamp, destination, 1, 1 FROM click_rows "
             "WHERE id = 100",
             "total"},
            {"deliveries", "DELETE FROM delivery_rows WHERE id = 500", "total"},
            {"errors", "UPDATE error_rows SET destination = 987654321 WHERE id = 3", "unique"},
        };
        // Where each of them shows.
        std::set<std::string> expected;
        for (const Change& change : changes) {
            const auto numbers = [&] {
                return scene.query(fmt::format(
                    "SELECT group_concat(mailing || ' ' || {}) FROM (SELECT mailing, count(*) AS "
                    "n, count(DISTINCT destination) AS d FROM {} GROUP BY mailing)",
                    change.number == "total" ? "n" : "d", change.stream));
            };
            const std::string before = numbers();
            scene.meddle(change.sql);
            if (numbers() != before) {
                expected.insert(change.stream + " " + change.number);
            }
        }
        REQUIRE(expected.size() >= 3);
        const Run run = all.audit();
        CAPTURE(run.out);
        CHECK(run.code == 5);
        CHECK(run.out.starts_with("the file differs from the API's statistics: 4 mailings"));
        CHECK(holds(run.out, ", impressions: "));
        CHECK(holds(run.out, ", clicks: "));
        CHECK(holds(run.out, ", deliveries: "));
        const auto report = json(all.audit({"--json"}));
        CHECK(report.at("agrees") == false);
        std::set<std::string> found;
        for (const auto& value : report.at("differences").as_array()) {
            const auto& difference = value.as_object();
            found.insert(std::string(difference.at("stream").as_string()) + " " +
                         std::string(difference.at("number").as_string()));
            CHECK(difference.at("api") != difference.at("file"));
        }
        CHECK(std::includes(found.begin(), found.end(), expected.begin(), expected.end()));
        // The plain audit finds them as well, and puts them right.
        CHECK(scene.run({"audit", "--repair"}).code == 0);
        all.scene.meddle("DELETE FROM click_rows WHERE removed_at IS NOT NULL");
        CHECK(all.audit().code == 0);
    }
}

TEST_CASE("statistics: a mailing that the API does not know, wherever the call is") {
    struct Example {
        int version;
        bool draganddrop;  // paths that version 4 answers
        bool ms;
    };
    for (const Example& example :
         {Example{3, true, true}, Example{4, true, false}, Example{4, false, true}}) {
        CAPTURE(example.version);
        CAPTURE(example.ms);
        simulator::Behaviour behaviour;
        behaviour.version4.draganddrop_paths = example.draganddrop;
        behaviour.version4.ms_paths = example.ms;
        Demonstration all(example.version, behaviour);
        all.scene.meddle("UPDATE abuse_rows SET mailing = 4711 WHERE id = 1");
        const Run run = all.audit();
        CAPTURE(run.out);
        CHECK(run.code == 5);
        CHECK(
            holds(run.out, "mailing 4711: the API does not know it, the file has 1 event of it\n"));
        const auto report = json(all.audit({"--json"}));
        const auto& unknown = report.at("not_counted").as_array().at(0).as_object();
        CHECK(unknown.at("mailing") == 4711);
        CHECK(unknown.at("file") == 1);
        CHECK(unknown.at("failed").is_null());
    }
}

TEST_CASE("statistics: a stream that is not complete, a period that is not, and another one") {
    Demonstration all(3);
    all.scene.meddle("DELETE FROM coverage WHERE stream = 'clicks'");
    all.scene.meddle("UPDATE coverage SET \"end\" = \"end\" - 90 * 86400 WHERE stream = 'errors'");
    const Run run = all.audit();
    CAPTURE(run.out);
    CHECK(run.code == 5);
    CHECK(holds(run.out, "but parts of the period were not: 4 mailings"));
    CHECK(holds(run.out, "\nclicks: 2000-01-01 00:00:00 to "));
    CHECK(holds(run.out, "not complete in the file, so this stream is not compared\n"));
    CHECK(holds(run.out, "\nerrors: "));
    CHECK_FALSE(holds(run.out, "\nimpressions: "));

    CHECK(all.audit({"--stream", "impressions"}).code == 0);
    CHECK(all.audit({"--stream", "impressions", "--from", "1999-01-01"}).code == 5);
    const Run before = all.audit({"--stream", "errors", "--from", "2026-11-01"});
    CHECK(before.code == 5);
    CHECK(before.out.starts_with("nothing of that period is complete in the file"));
    const auto report = json(all.audit({"--stream", "clicks", "--json"}));
    CHECK(report.at("agrees") == false);
    CHECK(report.at("period").is_null());
}

TEST_CASE("statistics: what does not go together") {
    Scene scene;
    for (const std::vector<std::string>& wrong :
         std::vector<std::vector<std::string>>{{"--repair"},
                                               {"--prune"},
                                               {"--repair", "--prune"},
                                               {"--yes"},
                                               {"--repair", "--prune", "--before-horizon"},
                                               {"--stream", "mailings"}}) {
        std::vector<std::string> arguments{"audit", "--statistics"};
        arguments.insert(arguments.end(), wrong.begin(), wrong.end());
        CAPTURE(wrong.back());
        const Run run = scene.run(arguments);
        CHECK(run.code == 2);
        CHECK(run.err.find("error: ") != std::string::npos);
    }
    CHECK(scene.run({"sync", "--statistics"}).code == 2);
    CHECK(scene.run({"audit", "--statistics"}).code == 4);  // without a file
    CHECK(scene.requests() == 0);
}

TEST_CASE("statistics: replies that cannot be right are asked for again, and named if they stay") {
    Demonstration all(3);
    Scene& scene = all.scene;
    const std::vector<simulator::Fault> wrong{
        faults::html_as_ok(),
        faults::gateway(502),
        faults::malformed_json(),
        faults::cut_json(),
        faults::delivery(simulator::Delivery::close_in_body),
    };
    for (const simulator::Fault& fault : wrong) {
        std::atomic<int> faults_left = 1;
        scene.server.set_rule([&faults_left, fault](const simulator::Request& request) {
            const bool fails = request.mailing == 401 && faults_left-- > 0;
            return fails ? std::optional(fault) : std::nullopt;
        });
        const Run run = all.audit();
        CAPTURE(run.out);
        CAPTURE(run.err);
        CHECK(run.code == 0);
        CHECK(faults_left < 0);
    }
    scene.server.set_rule([](const simulator::Request& request) {
        return request.mailing == 401 ? std::optional(faults::error(400, "Not this one"))
                                      : std::nullopt;
    });
    const Run run = all.audit();
    CAPTURE(run.out);
    CHECK(run.code == 5);
    CHECK(run.out.starts_with("some mailings could not be compared; the rest agrees: 3 mailings"));
    CHECK(holds(run.out, "\nmailing 401: not compared: "));
    CHECK(holds(run.out, "Not this one\n"));
    CHECK(json(all.audit({"--json"})).at("not_counted").as_array().size() == 1);
    scene.server.set_rule({});
    // No statistics at all.
    scene.server.change(
        [](simulator::Behaviour& behaviour) { behaviour.refused[Call::statistics] = 403; });
    const Run refused = all.audit();
    CAPTURE(refused.err);
    CHECK(refused.code == 1);
    CHECK(holds(refused.err, "give the token the right to read the statistics of mailings"));
    CHECK(scene.run({"sync"}).code == 0);
}

TEST_CASE("statistics: interrupted") {
    Demonstration all(3);
    Scene& scene = all.scene;
    const std::string before = all.contents();
    std::atomic<bool> asked = false;
    scene.server.set_rule([&asked](const simulator::Request& request) {
        const bool hangs = request.call == Call::statistics;
        asked = asked || hangs;
        return hangs ? std::optional(faults::delivery(simulator::Delivery::hang)) : std::nullopt;
    });
    const auto process = scene.start({"audit", "--statistics"});
    REQUIRE(scene.server.wait([&asked](const simulator::Counters&) { return asked.load(); }));
    process->signal(SIGINT);
    CHECK(process->wait() == 130);
    CHECK(process->out().empty());
    CHECK(scene.query("SELECT DISTINCT outcome FROM runs WHERE kind = 'audit'") == "stopped");
    CHECK(all.contents() == before);
}

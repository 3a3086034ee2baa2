// A past period, fetched on demand.

#include <algorithm>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "tests/end_to_end/scene.hpp"

using namespace mirror;
using namespace mirror::test;

namespace {

// The rows of the truth in [from, to), local text.
std::vector<StreamRow> truth_of(const Scene& scene, const std::string& from,
                                const std::string& to) {
    std::vector<StreamRow> rows = scene.truth();
    std::erase_if(
        rows, [&](const StreamRow& row) { return row.timestamp < from || row.timestamp >= to; });
    return rows;
}

std::vector<StreamRow> held_of(const Scene& scene, const std::string& from, const std::string& to) {
    std::vector<StreamRow> rows = scene.rows();
    std::erase_if(
        rows, [&](const StreamRow& row) { return row.timestamp < from || row.timestamp >= to; });
    return rows;
}

// The questions with which windows were begun, in order; not those asked before and after.
std::vector<simulator::Question> windows_read(const Scene& scene) {
    std::vector<simulator::Question> windows;
    for (const simulator::LogEntry& entry : scene.server.log()) {
        const simulator::Question& question = entry.request.question;
        if (entry.request.call == scene.call() && question.total && question.limit != 1) {
            windows.push_back(question);
        }
    }
    return windows;
}

}  // namespace

TEST_CASE("backfill: a period is whole, with its first second and without its end" * every_stream) {
    Scene scene;
    populate(scene);
    const std::string from = "2026-08-01 00:00:00";
    const std::string to = "2026-09-01 00:00:00";
    const Zone& zone = scene.account.zone();
    std::int64_t id = 100'000;
    for (const std::string& edge : {from, to}) {
        for (const int offset : {-1, 0, 1}) {
            scene.account.add(
                row(++id, zone.earliest(parse_local(edge).value()) + Seconds(offset)));
        }
    }
    const Run run = scene.run({"backfill", "--from", "2026-08-01", "--to", "2026-09-01"});
    CAPTURE(run.err);
    CHECK(run.code == 0);
    CHECK(held_of(scene, from, to) == truth_of(scene, from, to));
    CHECK(scene.query("SELECT local_begin || ' ' || local_end FROM coverage") == from + " " + to);
    // Nothing from far outside of it.
    CHECK(scene.rows().size() <= truth_of(scene, from, to).size() + 4);

    // The rest is a sync's, and the period is not fetched again.
    scene.server.start_over();
    CHECK(scene.complaint(scene.run({"sync"})) == "");
    CHECK(scene.query("SELECT count(*) FROM coverage WHERE age = 0") == "1");
}

TEST_CASE("backfill: a first one is oldest first; before rows of the file, newest first" *
          every_stream) {
    Scene scene;
    scene.configure("api", "connections = 1\npage_size = 50\n");
    populate(scene);
    REQUIRE(scene.run({"backfill", "--from", "2026-09-01", "--to", "2026-11-01"}).code == 0);
    const std::vector<simulator::Question> first = windows_read(scene);
    REQUIRE(first.size() >= 2);
    CHECK(std::is_sorted(first.begin(), first.end(), [](const auto& one, const auto& other) {
        return *one.begin < *other.begin;
    }));
    scene.server.start_over();
    REQUIRE(scene.run({"backfill", "--from", "2026-06-01", "--to", "2026-09-01"}).code == 0);
    const std::vector<simulator::Question> before = windows_read(scene);
    REQUIRE(before.size() >= 2);
    // The parts of a window that holds too much may come oldest first.
    const auto newest =
        std::max_element(before.begin(), before.end(),
                         [](const auto& one, const auto& other) { return *one.end < *other.end; });
    const auto oldest = std::min_element(
        before.begin(), before.end(),
        [](const auto& one, const auto& other) { return *one.begin < *other.begin; });
    CHECK(newest < oldest);
}

TEST_CASE("backfill: what is covered is fetched again only with --force" * every_stream) {
    Scene scene;
    populate(scene);
    REQUIRE(scene.run({"sync"}).code == 0);
    // Late by months, and completed later: nothing but --force finds these.
    scene.account.add(row(100'000, utc("2026-08-08 08:08:08")));
    const auto old = truth_of(scene, "2026-08-01 00:00:00", "2026-08-08 00:00:00").front();
    scene.account.change(old.id, complete);
    scene.server.start_over();
    const Run plain = scene.run({"backfill", "--from", "2026-08-01", "--to", "2026-09-01"});
    CHECK(plain.code == 0);
    CHECK(scene.requests() <= 6);
    CHECK(scene.difference() != "");
    const Run forced =
        scene.run({"backfill", "--from", "2026-08-01", "--to", "2026-09-01", "--force"});
    CHECK(scene.complaint(forced) == "");
    CHECK(forced.out.find(": 1 new, 1 changed") != std::string::npos);
}

TEST_CASE("backfill: goes on where it was" * every_stream) {
    Scene scene;
    scene.configure("api", "connections = 1\npage_size = 200\n");
    populate(scene, 20'000);
    scene.server.set_rule([](const simulator::Request& request) -> std::optional<simulator::Fault> {
        if (request.number < 30) {
            return std::nullopt;
        }
        return simulator::faults::delivery(simulator::Delivery::hang);
    });
    const auto process = scene.start({"backfill", "--from", "2026-06-01"});
    REQUIRE(scene.server.wait([](const simulator::Counters& seen) { return seen.requests >= 30; }));
    process->signal(SIGTERM);
    CHECK(process->wait() == 143);
    const std::size_t held = scene.rows().size();
    CHECK(held > 0);
    scene.server.set_rule({});
    scene.server.start_over();
    CHECK(scene.complaint(scene.run({"backfill", "--from", "2026-06-01"})) == "");
    // Only the rest.
    CHECK(scene.server.counters().rows <= (20'000 - held) * 11 / 10 + 1000);
}

TEST_CASE("backfill: to now, and a period that has not begun" * every_stream) {
    Scene scene;
    populate(scene, 1000);
    CHECK(scene.complaint(scene.run({"backfill", "--from", "2000-01-01"})) == "");
    const Run future = scene.run({"backfill", "--from", "2027-01-01"});
    CAPTURE(future.err);
    CHECK(future.code == 2);
    CHECK(future.err.find("is in the future") != std::string::npos);
    CHECK(scene.query("SELECT count(*) FROM coverage WHERE age = 0") == "1");
}

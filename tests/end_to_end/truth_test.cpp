// Keeping a file true: reading again when a recheck is due, and audits that find, locate and
// repair.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/time/text.hpp"
#include "tests/end_to_end/scene.hpp"
#include "tests/simulator/fault.hpp"
#include "tests/simulator/generate.hpp"

using namespace mirror;
using namespace mirror::test;
using simulator::Behaviour;
using simulator::Bound;
using simulator::Order;

namespace {

const Instant now = utc("2026-11-23 16:00:00");

// Two months of 40,000 rows.
void fill_two_months(Scene& scene) {
    scene.server.clock().stand_at(now);
    simulator::Generation generation;
    generation.shape = simulator::Shape::steady;
    generation.rows = 40'000;
    generation.period = {utc("2026-09-20 00:00:00"), now - Seconds(7200)};
    simulator::generate(scene.account, generation);
    scene.configure("mirror", "start = \"2026-09-20\"\n");
}

// The ID of some row that the file has in the middle of the period.
std::int64_t id_after(const Scene& scene, const std::string& timestamp) {
    return std::stoll(scene.query("SELECT id FROM " + scene.view() + " WHERE timestamp > '" +
                                  timestamp + "' ORDER BY timestamp, id LIMIT 1"));
}

boost::json::object json(const Run& run) {
    return boost::json::parse(run.out).as_object();
}

// What `status` says of the stream.
boost::json::object stream_status(Scene& scene) {
    return json(scene.run({"status", "--json"})).at("streams").at(scene.view()).as_object();
}

}  // namespace

TEST_CASE("audit: what differs is found to the second, uncovered, repaired, exact again" *
          every_stream) {
    for (const Order order : {Order::by_time, Order::by_id, Order::shuffled}) {
        for (const Bound begin : {Bound::exclusive, Bound::inclusive}) {
            for (const Bound end : {Bound::exclusive, Bound::inclusive}) {
                CAPTURE(static_cast<int>(order));
                CAPTURE(static_cast<int>(begin));
                CAPTURE(static_cast<int>(end));
                Behaviour behaviour;
                behaviour.order = order;
                behaviour.begin = begin;
                behaviour.end = end;
                Scene scene(behaviour);
                fill_two_months(scene);
                REQUIRE(scene.run({"sync"}).code == 0);
                scene.server.start_over();
                const Run clean = scene.run({"audit"});
                CHECK(clean.code == 0);
                // Four counts; the account, the zone, the bounds, the oldest row, and a clock that
                // is far off.
                CHECK(scene.requests_with_token() <= 11);

                // One in the middle of October, two at a midnight, one gone at the source, one
                // gone from the file.
                scene.account.add(row(1'000'001, utc("2026-10-15 09:30:00")));
                scene.account.add(row(1'000'002, utc("2026-11-09 23:00:00")));
                scene.account.add(row(1'000'003, utc("2026-11-09 22:59:59")));
                scene.account.remove(id_after(scene, "2026-10-03 12:00:00"));
                scene.meddle(fmt::format("DELETE FROM {} WHERE id = {}", scene.table(),
                                         id_after(scene, "2026-11-01 12:00:00")));

                scene.server.start_over();
                const Run found = scene.run({"audit", "--json"});
                CAPTURE(found.out);
                CHECK(found.code == 5);
                CHECK(scene.requests() <= 150);
                const auto report = json(found);
                CHECK(report.at("agrees") == false);
                CHECK(report.at("places").as_array().size() == 5);
                CHECK(report.at("withdrawn").as_array().size() >= 4);
                CHECK(found.out.find("2026-10-15T09:30:00Z") != std::string::npos);
                CHECK(found.out.find("2026-11-09T23:00:00Z") != std::string::npos);
                // The file does not claim any more what is not true.
                const auto gaps = stream_status(scene).at("gaps").as_array();
                CHECK(gaps.size() >= 4);

                const Run repaired = scene.run({"sync"});
                CHECK(repaired.code == 0);
                CHECK(scene.query("SELECT count(*) FROM " + scene.view() +
                                  " WHERE removed_at IS NOT NULL") == "1");
                const Run again = scene.run({"audit", "--repair", "--prune"});
                CHECK(again.code == 0);
                scene.meddle("DELETE FROM " + scene.table() + " WHERE removed_at IS NOT NULL");
                CHECK(scene.difference() == "");
            }
        }
    }
}

TEST_CASE("audit: repair puts right at once, and prunes only what was proved" * every_stream) {
    Scene scene;
    fill_two_months(scene);
    REQUIRE(scene.run({"sync"}).code == 0);
    scene.account.add(row(1'000'001, utc("2026-10-15 09:30:00")));
    scene.account.remove(id_after(scene, "2026-10-03 12:00:00"));
    scene.account.remove(id_after(scene, "2026-11-03 12:00:00"));
    const Run run = scene.run({"audit", "--repair", "--prune", "--json"});
    CAPTURE(run.out);
    CHECK(run.code == 0);
    const auto report = json(run);
    CHECK(report.at("repaired") == true);
    CHECK(report.at("pruned") == 2);
    CHECK(scene.difference() == "");
    CHECK(scene.run({"audit"}).code == 0);
    CHECK(stream_status(scene).at("gaps").as_array().empty());
}

TEST_CASE("audit: a gap is not a difference, and without a file there is nothing to audit" *
          every_stream) {
    Scene scene;
    fill_two_months(scene);
    CHECK(scene.run({"audit"}).code == 4);
    CHECK_FALSE(std::filesystem::exists(scene.database()));
    REQUIRE(scene.run({"backfill", "--from", "2026-10-01", "--to", "2026-10-08"}).code == 0);
    CHECK(scene.run({"audit"}).code == 0);
    CHECK(json(scene.run({"audit", "--repair", "--json"})).at("repaired") == false);

    // What is not covered is not compared, and that is said.
    const Run partly = scene.run({"audit", "--from", "2026-10-05", "--to", "2026-10-10"});
    CHECK(partly.code == 0);
    CHECK(partly.out.find("2026-10-08") == std::string::npos);
    const Run before = scene.run({"audit", "--from", "2026-09-30", "--to", "2026-10-10", "--json"});
    CHECK(before.code == 5);
    CHECK(json(before).at("agrees") == false);
    CHECK(json(before).at("uncovered").as_array().size() == 1);
    CHECK(before.out.find("2026-09-29T22:00:00Z") != std::string::npos);
    const Run told = scene.run({"audit", "--from", "2026-09-30", "--to", "2026-10-10"});
    CHECK(told.out.find("`copernica-mirror sync` fetches what is missing") != std::string::npos);
    const Run nothing = scene.run({"audit", "--from", "2026-11-01", "--to", "2026-11-02"});
    CHECK(nothing.code == 5);
    CHECK(nothing.out.find("nothing to compare") != std::string::npos);
    const auto status = stream_status(scene);
    CHECK(status.at("last_audit").at("found") == "nothing to compare");
    CHECK(status.at("last_error").is_null());
    // What lies between a day of August and `start` is not a gap, either.
    REQUIRE(scene.run({"backfill", "--from", "2026-08-01", "--to", "2026-08-02"}).code == 0);
    REQUIRE(scene.run({"sync"}).code == 0);
    CHECK(stream_status(scene).at("gaps").as_array().empty());
    CHECK(scene.run({"check"}).out.find("not fetched yet") == std::string::npos);
}

TEST_CASE("counts that differed are compared again by the next sync" * every_stream) {
    Scene scene;
    fill_two_months(scene);
    REQUIRE(scene.run({"sync"}).code == 0);
    // Where it only counts, there are three more.
    scene.server.set_rule([](const simulator::Request& request) -> std::optional<simulator::Fault> {
        if (!request.question.total || request.question.limit != 1) {
            return std::nullopt;
        }
        simulator::Fault fault;
        fault.page = [](simulator::Page& page) { page.total = page.total.value_or(0) + 3; };
        return fault;
    });
    const Run wrong = scene.run({"backfill", "--from", "2000-01-01"});
    CAPTURE(wrong.err);
    CHECK(wrong.code == 5);
    const auto difference = [&] { return stream_status(scene).at("count_difference"); };
    CHECK(difference() == "the API counts 3 more");
    const Run checked = scene.run({"check"});
    CAPTURE(checked.out);
    CHECK(checked.out.find("  the API counts 3 more " + scene.view()) != std::string::npos);
    scene.server.set_rule({});
    CHECK(scene.run({"sync"}).code == 0);
    CHECK(difference().is_null());
}

TEST_CASE("reading again: late and completed rows are found when a recheck is due" * every_stream) {
    Scene scene;
    fill_two_months(scene);
    scene.configure("mirror", "recheck_ages = [\"15m\", \"1d\"]\n");
    REQUIRE(scene.run({"sync"}).code == 0);

    // A row comes twenty minutes late, another half a day; a third is completed after half a day.
    scene.account.add(row(2'000'000, now + Seconds(100)));
    simulator::Row late = row(2'000'001, now + Seconds(200));
    late.visible_from = now + Seconds(1300);
    scene.account.add(late);
    late = row(2'000'002, now + Seconds(300));
    late.visible_from = now + Seconds(43'000);
    scene.account.add(late);
    // A batch is a quarter of its age, so the last one is read after a day and six hours.
    for (int minutes = 0; minutes < 34 * 60; minutes += 20) {
        scene.server.clock().advance(Seconds(1200));
        if (minutes == 12 * 60) {
            scene.account.change(2'000'000, complete);
        }
        const Run run = scene.run({"sync"});
        REQUIRE(run.code == 0);
    }
    CHECK(scene.difference() == "");
    const auto lateness = stream_status(scene).at("lateness");
    REQUIRE(lateness.is_object());
    CHECK(lateness.at("rows") == 2);
    CHECK(lateness.at("max_seconds").as_int64() >= 42'000);
}

TEST_CASE("reading again: a row that is gone is marked, and unmarked when it is back" *
          every_stream) {
    Scene scene;
    fill_two_months(scene);
    REQUIRE(scene.run({"sync"}).code == 0);
    const simulator::Row lost = row(3'000'000, now + Seconds(10));
    scene.account.add(lost);
    scene.server.clock().advance(Seconds(600));
    REQUIRE(scene.run({"sync"}).code == 0);
    const std::string removed =
        "SELECT count(*) FROM " + scene.view() + " WHERE removed_at IS NOT NULL";
    CHECK(scene.query(removed) == "0");
    scene.account.remove(3'000'000);
    scene.server.clock().advance(Seconds(1800));
    REQUIRE(scene.run({"sync"}).code == 0);
    CHECK(scene.query(removed) == "1");
    scene.account.add(lost);
    REQUIRE(scene.run({"backfill", "--from", "2026-11-23", "--force"}).code == 0);
    CHECK(scene.query(removed) == "0");
    CHECK(scene.difference() == "");
}

TEST_CASE("reading again: turned off by an empty list" * every_stream) {
    Scene scene;
    fill_two_months(scene);
    scene.configure("mirror", "recheck_ages = []\n");
    REQUIRE(scene.run({"sync"}).code == 0);
    CHECK(scene.query("SELECT count(*) FROM coverage WHERE age > 0") == "0");
}

TEST_CASE("reading again: rows six days late and completed five days later, exact in the end" *
          every_stream) {
    Scene scene;
    const Instant begin = utc("2026-11-02 00:00:00");
    scene.server.clock().stand_at(begin);
    scene.configure("mirror", "start = \"2026-11-01\"\n");
    REQUIRE(scene.run({"sync"}).code == 0);
    scene.server.start_over();

    // Three days of rows; of twenty, one comes up to six days late and one is completed up to five
    // days later.
    constexpr int rows = 3000;
    constexpr int seconds_each = 3 * 86400 / rows;
    std::vector<std::pair<Instant, std::int64_t>> completions;
    for (int i = 0; i < rows; ++i) {
        const Instant at = begin + Seconds(i * seconds_each);
        simulator::Row made = row(4'000'000 + i, at);
        if (i % 20 == 3) {
            made.visible_from = at + Seconds(i * 7919 % (6 * 86400));
        } else {
            made.visible_from = at;
        }
        if (i % 20 == 11) {
            completions.emplace_back(at + Seconds(1 + i * 6007 % (5 * 86400)), made.id);
        }
        scene.account.add(made);
    }
    std::sort(completions.begin(), completions.end());
    std::size_t completed = 0;
    // The last age is a week, and its batches a quarter of it.
    const Instant end = begin + std::chrono::hours(24 * (3 + 9));
    for (Instant at = begin; at < end; at += Seconds(4 * 3600)) {
        scene.server.clock().stand_at(at);
        for (; completed < completions.size() && completions[completed].first <= at; ++completed) {
            scene.account.change(completions[completed].second, complete);
        }
        REQUIRE(scene.run({"sync"}).code == 0);
    }
    CHECK(scene.difference() == "");
    const auto status = stream_status(scene);
    CHECK(status.at("lateness").at("rows").as_int64() >= 100);
    CHECK(status.at("lateness").at("max_seconds").as_int64() >= 5 * 86400);
    MESSAGE("requests for ", rows,
            " rows over 12 days of a sync every four hours: ", scene.requests());
}

TEST_CASE("audit: one missing row among many is found in few requests" * every_stream) {
    Scene scene;
    scene.server.clock().stand_at(now);
    simulator::Generation generation;
    generation.rows = 200'000;
    generation.period = {utc("2025-11-23 00:00:00"), now - Seconds(7200)};
    simulator::generate(scene.account, generation);
    scene.configure("mirror", "start = \"2025-11-23\"\n");
    REQUIRE(scene.run({"sync"}).code == 0);
    scene.meddle("DELETE FROM " + scene.table() + " WHERE id = 100000");
    scene.server.start_over();
    const Run run = scene.run({"audit", "--json"});
    CHECK(run.code == 5);
    CHECK(json(run).at("places").as_array().size() == 1);
    CHECK(scene.requests() < 60);
    MESSAGE("one missing row among 200,000: ", scene.requests(), " requests");
}

TEST_CASE("a mass of missing rows: every summary and the status say so, nothing is deleted" *
          every_stream) {
    Scene scene;
    fill_two_months(scene);
    REQUIRE(scene.run({"sync"}).code == 0);
    for (std::int64_t id = 40'000; id > 10'000; --id) {
        scene.account.remove(id);
    }
    const Run run = scene.run({"backfill", "--from", "2026-09-20", "--force"});
    CAPTURE(run.out);
    CHECK(run.code == 0);
    CHECK(run.out.find("complete from 2026-09-20 00:00:00") == 0);
    CHECK(run.out.find("10,000 unchanged, 30,000 in doubt") != std::string::npos);
    CHECK(run.err.find("so many at once may be a mistake") != std::string::npos);
    CHECK(scene.query("SELECT count(*) FROM " + scene.view() + " WHERE removed_at IS NOT NULL") ==
          "0");
    CHECK(scene.run({"status"}).out.find("30,000 rows of ") != std::string::npos);
    const auto doubts = stream_status(scene).at("doubts").as_array();
    CHECK_FALSE(doubts.empty());

    // An hour later they are removed, and named.
    scene.server.clock().advance(Seconds(3700));
    scene.meddle("UPDATE doubts SET noticed_at = noticed_at - 3700");
    const Run later = scene.run({"sync"});
    CAPTURE(later.out);
    CHECK(later.code == 0);
    CHECK(later.out.find("30,000 removed") != std::string::npos);
    CHECK(scene.query("SELECT count(*) FROM " + scene.view() + " WHERE removed_at IS NOT NULL") ==
          "30000");
}

// A sync, read back with SQL: orders and bounds, pages and periods, and what a second one does.

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/end_to_end/scene.hpp"
#include "tests/simulator/generate.hpp"

using namespace mirror;
using namespace mirror::test;
using simulator::Behaviour;
using simulator::Bound;
using simulator::Order;
using simulator::Reading;
using simulator::Repeated;

namespace {

constexpr std::chrono::hours day(24);

// Rows on both sides of, and in, the nights in which clocks change, some of them every second.
void populate_nights(Scene& scene) {
    scene.server.clock().stand_at(present());
    std::int64_t id = 0;
    for (const char* const change : {"2026-03-29 01:00:00", "2026-10-25 01:00:00"}) {
        const Instant at = utc(change);
        for (Seconds offset(-7200); offset <= Seconds(7200); offset += Seconds(37)) {
            scene.account.add(row(++id, at + offset));
        }
        for (const int hours : {-1, 0, 1}) {
            for (Seconds offset(-5); offset <= Seconds(5); ++offset) {
                scene.account.add(row(++id, at + std::chrono::hours(hours) + offset));
            }
        }
    }
}

}  // namespace

TEST_CASE("sync: exact under every order and every meaning of the bounds" * every_stream) {
    for (const Order order :
         {Order::by_time, Order::by_time_descending, Order::by_id, Order::shuffled}) {
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
                populate(scene);
                CHECK(scene.complaint(scene.run({"sync"})) == "");
                CHECK(scene.query("PRAGMA integrity_check") == "ok");
            }
        }
    }
}

TEST_CASE("sync: exact however bounds are read in the nights in which clocks change" *
          every_stream) {
    struct Case {
        Reading reading;
        Repeated repeated;
        simulator::Gap gap;
    };
    const std::vector<Case> cases{
        {Reading::text, Repeated::first, simulator::Gap::forward},
        {Reading::text, Repeated::first, simulator::Gap::literal},
        {Reading::instant, Repeated::first, simulator::Gap::forward},
        {Reading::instant, Repeated::second, simulator::Gap::literal},
        {Reading::instant, Repeated::second, simulator::Gap::forward},
    };
    for (const Case& one : cases) {
        for (const Bound begin : {Bound::exclusive, Bound::inclusive}) {
            for (const Bound end : {Bound::exclusive, Bound::inclusive}) {
                CAPTURE(static_cast<int>(one.reading));
                CAPTURE(static_cast<int>(one.repeated));
                CAPTURE(static_cast<int>(one.gap));
                CAPTURE(static_cast<int>(begin));
                CAPTURE(static_cast<int>(end));
                Behaviour behaviour;
                behaviour.reading = one.reading;
                behaviour.repeated = one.repeated;
                behaviour.gap = one.gap;
                behaviour.begin = begin;
                behaviour.end = end;
                Scene scene(behaviour);
                // Small windows, so that many bounds fall into those nights.
                scene.configure("api", "page_size = 20\n");
                populate_nights(scene);
                CHECK(scene.complaint(scene.run({"sync"})) == "");
            }
        }
    }
}

TEST_CASE("sync: another order for every request costs requests, never rows" * every_stream) {
    Behaviour behaviour;
    behaviour.order = Order::shuffled_each_request;
    Scene scene(behaviour);
    populate(scene);
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}

TEST_CASE("sync: an empty history" * every_stream) {
    Scene scene;
    const Run run = scene.run({"sync"});
    CHECK(scene.complaint(run) == "");
    CHECK(scene.query("SELECT count(*) FROM covered_periods WHERE age = 0") == "1");
}

TEST_CASE("sync: a second one with nothing new asks little and writes no row" * every_stream) {
    Scene scene;
    populate(scene);
    REQUIRE(scene.run({"sync"}).code == 0);
    scene.server.start_over();
    scene.server.clock().advance(Seconds(60));
    const Run run = scene.run({"sync"});
    CHECK(scene.complaint(run) == "");
    CHECK(run.out.find(": 0 new, 0 changed") != std::string::npos);
    CHECK(scene.requests_with_token() <= 6);
}

TEST_CASE("sync: rows that come late or change inside the overlap" * every_stream) {
    Scene scene;
    populate(scene);
    scene.account.add(row(100'001, present() - Seconds(90)));
    scene.account.add(row(100'002, present() - Seconds(30)));
    REQUIRE(scene.run({"sync"}).code == 0);
    scene.server.clock().advance(Seconds(10));
    scene.account.add(row(100'003, present() - Seconds(60)));
    scene.account.add(row(100'004, present() + Seconds(1)));
    scene.account.change(100'001, [](simulator::Row& changed) {
        complete(changed);
        changed.subprofile = 78;
        changed.destination.reset();
    });
    const Run run = scene.run({"sync"});
    CHECK(scene.complaint(run) == "");
    CHECK(run.out.find(": 2 new, 1 changed") != std::string::npos);
}

TEST_CASE("sync: after a long pause" * every_stream) {
    Scene scene;
    populate(scene, 1000);
    REQUIRE(scene.run({"sync"}).code == 0);
    simulator::Generation generation;
    generation.rows = 5000;
    generation.first_id = 1'000'000;
    generation.period = {present(), present() + 40 * day};
    simulator::generate(scene.account, generation);
    scene.server.clock().advance(41 * day);
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}

TEST_CASE("sync: pages that are cut at 500, whatever limit the reply names" * every_stream) {
    for (const auto named : {simulator::NamedLimit::in_force, simulator::NamedLimit::asked,
                             simulator::NamedLimit::documented}) {
        for (const Order order : {Order::by_time, Order::by_time_descending, Order::shuffled}) {
            CAPTURE(static_cast<int>(named));
            CAPTURE(static_cast<int>(order));
            Behaviour behaviour;
            behaviour.max_page = 500;
            behaviour.named_limit = named;
            behaviour.order = order;
            Scene scene(behaviour);
            populate(scene);
            CHECK(scene.complaint(scene.run({"sync"})) == "");
        }
    }
}

TEST_CASE("sync: a longest allowed period of 31 days" * every_stream) {
    Behaviour behaviour;
    behaviour.longest_period = 31 * day;
    Scene scene(behaviour);
    scene.configure("mirror", "start = \"2025-01-01\"\n");
    populate(scene);
    CHECK(scene.complaint(scene.run({"sync"})) == "");
    scene.server.start_over();
    scene.server.clock().advance(Seconds(60));
    CHECK(scene.complaint(scene.run({"sync"})) == "");
    CHECK(scene.requests_with_token() <= 6);
}

TEST_CASE("sync: bodies in chunks, compressed or not, on connections that end unannounced") {
    for (const auto compression : {simulator::Compression::never, simulator::Compression::always}) {
        CAPTURE(static_cast<int>(compression));
        Behaviour behaviour;
        behaviour.framing = simulator::Framing::chunked;
        behaviour.chunk_bytes = 1009;
        behaviour.compression = compression;
        behaviour.encoding = simulator::Encoding::utf8;
        Scene scene(behaviour);
        populate(scene, 3000);
        CHECK(scene.complaint(scene.run({"sync"})) == "");
    }
    Behaviour behaviour;
    behaviour.requests_per_connection = 3;
    Scene scene(behaviour);
    populate(scene, 3000);
    CHECK(scene.complaint(scene.run({"sync"})) == "");
    CHECK(scene.server.counters().connections > 3);
}

TEST_CASE("sync: small pages and a single connection" * every_stream) {
    Scene scene;
    scene.configure("api", "page_size = 7\nconnections = 1\n");
    populate(scene, 500);
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}

TEST_CASE("sync: begins where the configuration says") {
    Scene scene;
    scene.configure("mirror", "start = 2026-10-01\n");
    populate(scene);
    const Instant start = utc("2026-09-30 22:00:00");
    for (const auto& kept : scene.truth()) {
        if (kept.timestamp < "2026-10-01 00:00:00") {
            scene.account.change(kept.id, [&](simulator::Row& early) {
                early.at = std::min(early.at, start - Seconds(2));
            });
        }
    }
    CHECK(scene.run({"sync"}).code == 0);
    for (const auto& early : scene.truth()) {
        if (early.timestamp < "2026-10-01 00:00:00") {
            scene.account.remove(early.id);
        }
    }
    CHECK(scene.difference() == "");
}

TEST_CASE("sync: what it takes is told beforehand, and nothing is stored") {
    Scene scene;
    populate(scene, 6000);
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"sync", "--estimate"},
          {"backfill", "--from", "2016-01-01", "--estimate"}}) {
        scene.server.start_over();
        const Run told = scene.run(command);
        CHECK(told.code == 0);
        CHECK(told.out.starts_with("about 6,000 rows: 17 requests, at least "));
        CHECK(told.out.find("MB are free") != std::string::npos);
        CHECK(scene.requests() <= 10);
        CHECK_FALSE(std::filesystem::exists(scene.database()));
    }
    REQUIRE(scene.run({"sync"}).code == 0);
    CHECK(scene.run({"sync", "--estimate"}).out.starts_with("about 0 rows"));
}

TEST_CASE("sync: an estimate from an API that refuses long periods") {
    simulator::Behaviour behaviour;
    SUBCASE("of more than half a year") {
        behaviour.longest_period = std::chrono::hours(24 * 180);
        Scene scene(behaviour);
        populate(scene, 6000);
        const Run told = scene.run({"sync", "--estimate"});
        CHECK(told.code == 0);
        CHECK(told.out.find("part of it is a guess") != std::string::npos);
        CHECK_FALSE(told.out.starts_with("about 0 rows"));
        CHECK(scene.requests() <= 10);
    }
    SUBCASE("of more than a day: that is said, and no number") {
        behaviour.longest_period = std::chrono::hours(24);
        Scene scene(behaviour);
        populate(scene, 6000);
        const Run told = scene.run({"sync", "--estimate"});
        CHECK(told.code == 5);
        CHECK(told.out.starts_with("NOT counted: "));
        CHECK(scene.requests() <= 10);
    }
}

TEST_CASE("sync: fails if its result cannot be written") {
    Scene scene;
    populate(scene, 10);
    REQUIRE(scene.run({"sync"}).code == 0);
    scene.standard_output = "/dev/full";
    const std::vector<std::vector<std::string>> commands{
        {"status"}, {"status", "--json"}, {"report"}, {"check"}, {"sync"}, {"--version"}};
    for (const std::vector<std::string>& command : commands) {
        CAPTURE(command.front());
        const Run run = scene.run(command);
        CHECK(run.code == 70);
        CHECK(run.err.find("standard output could not be written") != std::string::npos);
    }
}

TEST_CASE("sync: the start of one stream in the future is named") {
    Scene scene;
    scene.configure("mirror", "streams = [\"impressions\", \"clicks\"]\n");
    scene.configure("streams.clicks", "start = \"2099-01-01\"\n");
    for (const char* command : {"sync", "check"}) {
        CAPTURE(command);
        const Run run = scene.run({command});
        CHECK(run.code == 2);
        CHECK((run.out + run.err)
                  .find("[streams.clicks] start 2099-01-01 00:00:00 is in the "
                        "future") != std::string::npos);
    }
}

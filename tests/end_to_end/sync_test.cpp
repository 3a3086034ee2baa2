// A sync, read back with SQL: orders and bounds, what has changed since, and what is reported.

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

namespace {

// Some months of mailings, up to "now", which stands still.
void populate(Scene& scene, std::uint64_t rows = 6000) {
    const Instant now = utc("2026-11-23 16:00:00");
    scene.server.clock().stand_at(now);
    simulator::Generation generation;
    generation.rows = rows;
    generation.period = {utc("2026-06-01 00:00:00"), now - Seconds(3600)};
    simulator::generate(scene.account, generation);
}

}  // namespace

TEST_CASE("sync: exact under every order and every meaning of the bounds") {
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
                const Run run = scene.run({"sync"});
                CAPTURE(run.err);
                CHECK(run.code == 0);
                CHECK(scene.difference() == "");
                CHECK(scene.query("PRAGMA integrity_check") == "ok");
            }
        }
    }
}

TEST_CASE("sync: an empty history") {
    Scene scene;
    const Run run = scene.run({"sync"});
    CAPTURE(run.err);
    CHECK(run.code == 0);
    CHECK(scene.rows().empty());
    CHECK(scene.query("SELECT count(*) FROM covered_periods") == "1");
}

TEST_CASE("sync: a second one with nothing new asks little and writes no row") {
    Scene scene;
    populate(scene);
    REQUIRE(scene.run({"sync"}).code == 0);
    scene.server.start_over();
    scene.server.clock().advance(Seconds(60));
    const Run run = scene.run({"sync"});
    CHECK(run.code == 0);
    CHECK(run.out.find(": 0 new, 0 changed") != std::string::npos);
    CHECK(scene.requests() <= 6);
    CHECK(scene.difference() == "");
}

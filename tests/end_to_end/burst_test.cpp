// Many rows in a single second, which no window can be cut to.

#include <doctest/doctest.h>

#include "tests/end_to_end/scene.hpp"

using namespace mirror;
using namespace mirror::test;
using simulator::Behaviour;
using simulator::Order;

TEST_CASE("burst: exact whatever the order, however many rows one second has" * every_stream) {
    for (const std::int64_t burst : {1000, 1001, 7300}) {
        for (const Order order :
             {Order::by_time, Order::by_time_descending, Order::by_id, Order::shuffled}) {
            CAPTURE(burst);
            CAPTURE(static_cast<int>(order));
            Behaviour behaviour;
            behaviour.order = order;
            Scene scene(behaviour);
            populate(scene, 500);
            for (std::int64_t i = 0; i < burst; ++i) {
                scene.account.add(row(100'000 + i, utc("2026-09-09 09:09:09")));
            }
            CHECK(scene.complaint(scene.run({"sync"})) == "");
        }
    }
}

TEST_CASE("burst: several in a row, and one in the newest second that is settled" * every_stream) {
    Scene scene;
    populate(scene, 500);
    std::int64_t id = 100'000;
    for (int second = 0; second < 3; ++second) {
        for (int i = 0; i < 1500; ++i) {
            scene.account.add(row(++id, present() - Seconds(8) + Seconds(second)));
        }
    }
    CHECK(scene.complaint(scene.run({"sync"})) == "");
    scene.server.clock().advance(Seconds(30));
    for (int i = 0; i < 1500; ++i) {
        scene.account.add(row(++id, present() + Seconds(24)));
    }
    CHECK(scene.complaint(scene.run({"sync"})) == "");
}

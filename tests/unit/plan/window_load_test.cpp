#include "core/plan/window_load.hpp"

#include <doctest/doctest.h>

using namespace mirror;
using namespace mirror::plan;

namespace {

Instant at(int seconds) {
    return Instant(Seconds(seconds));
}

}  // namespace

TEST_CASE("load: a window counts as wanted, then as its first reply says") {
    RecordBudget budget{300, 0};
    WindowLoad load(budget);
    CHECK(load.has_room_for(1000));  // one always fits
    WindowLoad::Entry first = load.begin(at(0), 100);
    CHECK(load.uncounted() == 1);
    CHECK(load.has_room_for(200));
    CHECK_FALSE(load.has_room_for(201));
    load.counted(first, 250);
    CHECK(load.uncounted() == 0);
    CHECK(load.has_room_for(50));
    CHECK_FALSE(load.has_room_for(51));
    load.counted(first, 10);  // read again, after records came in
    CHECK(load.has_room_for(290));
    load.end(first);
    CHECK(load.active() == 0);
    CHECK(load.has_room_for(1000));
}

TEST_CASE("load: what waits to be stored takes room") {
    RecordBudget budget{300, 0};
    WindowLoad load(budget);
    load.queued(250);
    CHECK_FALSE(load.has_room_for(100));
    load.stored(250);
    CHECK(load.has_room_for(100));
}

TEST_CASE("load: newer windows wait for the oldest that is not delayed") {
    RecordBudget budget{300, 0};
    WindowLoad load(budget);
    WindowLoad::Entry older = load.begin(at(10), 1);
    WindowLoad::Entry newer = load.begin(at(20), 1);
    CHECK(load.oldest_awaited() == at(10));
    CHECK(load.stop_waiting_for(older));
    CHECK_FALSE(load.stop_waiting_for(older));
    CHECK(load.oldest_awaited() == at(20));
    load.end(newer);
    CHECK_FALSE(load.oldest_awaited().has_value());
    load.end(older);
    CHECK(load.uncounted() == 0);
}

TEST_CASE("load: two share the room, and each may have one window") {
    RecordBudget budget{300, 0};
    WindowLoad backlog(budget);
    {
        WindowLoad tail(budget);
        WindowLoad::Entry first = backlog.begin(at(0), 300);
        CHECK(tail.has_room_for(100));
        WindowLoad::Entry newest = tail.begin(at(10), 100);
        CHECK_FALSE(tail.has_room_for(1));
        backlog.end(first);
        CHECK(tail.has_room_for(200));
        CHECK_FALSE(tail.has_room_for(201));
        tail.counted(newest, 250);
        CHECK(backlog.has_room_for(1000));
        backlog.queued(20);
        CHECK_FALSE(backlog.has_room_for(31));
        CHECK(backlog.has_room_for(30));
        backlog.stored(20);
        tail.end(newest);
        tail.queued(250);
    }
    // What a load that ends early leaves behind takes no room.
    CHECK(budget.held == 0);
}

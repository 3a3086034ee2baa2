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
    WindowLoad load(300);
    CHECK(load.has_room_for(1000));  // one always fits
    WindowLoad::Entry first = load.begin(at(0), 100);
    CHECK(load.any_uncounted());
    CHECK(load.has_room_for(200));
    CHECK_FALSE(load.has_room_for(201));
    load.counted(first, 250);
    CHECK_FALSE(load.any_uncounted());
    CHECK(load.has_room_for(50));
    CHECK_FALSE(load.has_room_for(51));
    load.counted(first, 10);  // read again, after records came in
    CHECK(load.has_room_for(290));
    load.end(first);
    CHECK(load.active() == 0);
    CHECK(load.has_room_for(1000));
}

TEST_CASE("load: what waits to be stored takes room") {
    WindowLoad load(300);
    load.queued(250);
    CHECK_FALSE(load.has_room_for(100));
    load.stored(250);
    CHECK(load.has_room_for(100));
}

TEST_CASE("load: newer windows wait for the oldest that is not delayed") {
    WindowLoad load(300);
    WindowLoad::Entry older = load.begin(at(10), 1);
    WindowLoad::Entry newer = load.begin(at(20), 1);
    CHECK(load.oldest_awaited() == at(10));
    CHECK(load.stop_waiting_for(older));
    CHECK_FALSE(load.stop_waiting_for(older));
    CHECK(load.oldest_awaited() == at(20));
    load.end(newer);
    CHECK_FALSE(load.oldest_awaited().has_value());
    load.end(older);
    CHECK_FALSE(load.any_uncounted());
}

#include "core/sync/load_meter.hpp"

#include <doctest/doctest.h>

using namespace mirror;
using sync::LoadMeter;

namespace {

Window hours(std::int64_t begin, std::int64_t end) {
    return {Instant(Seconds(3600 * begin)), Instant(Seconds(3600 * end))};
}

Monotonic at(int seconds) {
    return Monotonic(std::chrono::seconds(seconds));
}

}  // namespace

TEST_CASE("load meter: pieces of one load add up, and pauses do not count") {
    LoadMeter meter;
    meter.begin(WindowSet(hours(0, 100)), at(0));
    meter.received(50, at(1));
    CHECK_FALSE(meter.progress().expected);
    meter.expect(1000);
    CHECK(meter.progress().expected == 1000);
    meter.end(at(10));

    meter.begin(WindowSet(hours(0, 90)), at(60));
    meter.reading(hours(80, 90).begin);
    meter.received(150, at(62));
    CHECK(meter.progress().rows == 200);
    CHECK(meter.progress().expected == 1000);
    CHECK(meter.progress().before == std::chrono::seconds(10));
    CHECK(meter.progress().since == at(60));
    CHECK(meter.progress().at == hours(80, 90).begin);
    meter.end(at(65));
    CHECK(meter.progress().before == std::chrono::seconds(15));
}

TEST_CASE("load meter: another period is another load") {
    LoadMeter meter;
    meter.begin(WindowSet(hours(50, 100)), at(0));
    meter.received(50, at(1));
    meter.expect(1);
    meter.end(at(10));
    for (const Window& other : {hours(0, 60), hours(60, 101)}) {
        meter.begin(WindowSet(other), at(20));
        CHECK(meter.progress().rows == 0);
        CHECK_FALSE(meter.progress().expected);
        CHECK(meter.progress().before == Monotonic::duration(0));
        CHECK(meter.progress().rate_from.after == Monotonic::duration(0));
        CHECK(meter.progress().period == other);
    }
}

TEST_CASE("load meter: pages count as they come, and not twice if they are read again") {
    LoadMeter meter;
    meter.begin(WindowSet(hours(0, 100)), at(0));
    meter.received(1000, at(1));
    meter.received(1000, at(2));
    CHECK(meter.progress().rows == 2000);
    meter.dropped(2000);
    CHECK(meter.progress().rows == 0);
    meter.received(1000, at(3));
    CHECK(meter.progress().rows == 1000);
}

TEST_CASE("load meter: the rate counts working time, from the first rows on") {
    LoadMeter meter;
    meter.begin(WindowSet(hours(0, 100)), at(0));
    meter.received(0, at(4));
    meter.received(100, at(5));
    CHECK(meter.progress().rate_from.after == std::chrono::seconds(4));
    meter.end(at(6));
    meter.begin(WindowSet(hours(0, 90)), at(100));
    for (int second = 1; second <= 20; ++second) {
        meter.received(100, at(100 + second));
    }
    // The middle of 26 seconds of work.
    CHECK(meter.progress().rate_from.after == std::chrono::seconds(13));
    CHECK(meter.progress().rate_from.rows == 100 + 7 * 100);
}

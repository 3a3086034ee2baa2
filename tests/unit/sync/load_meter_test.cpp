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
    meter.read(hours(90, 100), 50);
    CHECK_FALSE(meter.progress().expected);
    meter.expect(1000);
    CHECK(meter.progress().expected == 1000);
    meter.end(at(10));

    meter.begin(WindowSet(hours(0, 90)), at(60));
    meter.read(hours(80, 90), 150);
    CHECK(meter.progress().rows == 200);
    CHECK(meter.progress().expected == 1000);
    CHECK(meter.progress().before == std::chrono::seconds(10));
    CHECK(meter.progress().since == at(60));
    CHECK(meter.progress().window == hours(80, 90));
    meter.end(at(65));
    CHECK(meter.progress().before == std::chrono::seconds(15));
}

TEST_CASE("load meter: another period is another load") {
    LoadMeter meter;
    meter.begin(WindowSet(hours(50, 100)), at(0));
    meter.read(hours(50, 100), 50);
    meter.expect(1);
    meter.end(at(10));
    for (const Window& other : {hours(0, 60), hours(60, 101)}) {
        meter.begin(WindowSet(other), at(20));
        CHECK(meter.progress().rows == 0);
        CHECK_FALSE(meter.progress().expected);
        CHECK(meter.progress().before == Monotonic::duration(0));
        CHECK(meter.progress().period == other);
    }
}

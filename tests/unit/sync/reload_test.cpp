// Settings that change while a run works.

#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include "tests/unit/sync/session_fixture.hpp"

using namespace mirror;
using namespace mirror::tests;

TEST_CASE("reload: new ages count from the next recheck on") {
    World world(noon);
    world.settings.start = world.settings.zone.to_local(noon - std::chrono::hours(48));
    fill(world.model, noon - std::chrono::hours(48), noon, 300, 1);
    world.sync();

    const std::vector<Seconds> before = world.settings.recheck_ages;
    std::vector<Seconds> after;
    for (const Seconds age : before) {
        after.push_back(2 * age);
    }
    std::vector<Seconds> read;
    world.store.on_coverage = [&](std::int64_t age) {
        if (age > 0) {
            read.emplace_back(age);
            world.settings.recheck_ages = after;
            world.settings.sweep.reset();
        }
    };
    world.sync();
    CHECK(read == before);
    read.clear();
    world.sync();
    CHECK(read == after);
    CHECK_EXACT(world);
}

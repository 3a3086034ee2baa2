// What the soak test found, each as a case of its own.
#include <doctest/doctest.h>

#include "tests/faults/small_account.hpp"
#include "tests/simulator/generate.hpp"

using namespace mirror;
using namespace mirror::faults;

namespace {

constexpr Instant present{Seconds(1'790'000'000)};

}  // namespace

TEST_CASE("a row that comes late into a backfill before the first sync is found") {
    const Directory directory;
    soak::World world(directory.path() / "impressions.db", present, "Europe/Amsterdam");
    world.settings.start = world.settings.zone.to_local(present - std::chrono::hours(48));
    simulator::RowMaker maker(1);
    for (std::int64_t id = 1; id <= 20; ++id) {
        world.account.add(maker.make(id, present - std::chrono::hours(id), 400));
    }
    sync::BackfillRequest request;
    request.from = world.settings.start;
    CHECK(world.backfill(request).whole());
    soak::expect_exact(world);
    world.account.add(maker.make(21, present - std::chrono::minutes(10), 400));
    world.account.change(1, [](simulator::Row& row) { row.profile = 4711; });
    world.clock.advance(std::chrono::hours(24 * 9));
    CHECK(world.sync().whole());
    soak::expect_exact(world);
}

// How much is under way at a time.
#include "core/sync/completion.hpp"

#include <algorithm>
#include <cstdint>

#include <doctest/doctest.h>

#include "tests/unit/sync/model.hpp"

using namespace mirror;
using namespace mirror::sync;
using namespace mirror::tests;
using namespace std::chrono_literals;

namespace {

const Instant noon = utc("2026-06-01 12:00:00");

// A disk that takes ten minutes for every transaction.
struct Slow final : FakeStore {
    Slow(const Zone& zone, FakeClock& a_clock) : FakeStore(zone), clock(a_clock) {}

    boost::asio::awaitable<Written> commit(std::vector<WholeWindow> windows, Instant now) override {
        co_await clock.sleep(10min);
        Written written = co_await FakeStore::commit(std::move(windows), now);
        stored += written.inserted + written.unchanged;
        co_return written;
    }

    FakeClock& clock;
    std::uint64_t stored = 0;
};

}  // namespace

TEST_CASE("what was read and is not stored yet is bounded, however slow the disk is") {
    for (const Order order : {Order::time, Order::id, Order::hash}) {
        CAPTURE(static_cast<int>(order));
        World world(noon);
        world.model.order = order;
        constexpr int rows = 200'000;
        for (int row = 0; row < rows; ++row) {
            world.model.add(noon - 24h * 30 + Seconds(row * 12));
        }
        world.settings.start = local("2026-05-01 00:00:00");
        world.settings.audit_ages.clear();
        Slow store(world.settings.zone, world.clock);
        std::uint64_t served = 0;
        std::uint64_t most = 0;
        world.api.distort = [&](const api::PageQuery&, Page& page) {
            served += page.records();
            most = std::max(most, served - std::min(served, store.stored));
        };
        Session session(world.loop.get_executor(), world.api, store, world.clock, world.log,
                        world.settings);
        CHECK(run(world.loop, session.sync()).whole());
        // A window for each connection, pages that begin with the last record of the one before,
        // and what was read twice.
        const std::uint64_t wanted =
            world.settings.connections * world.settings.page_size * Experience::pages_a_window;
        CAPTURE(most);
        CHECK(most > wanted / 4);
        CHECK(most < wanted * 3 / 2);
    }
}

// How much is under way at a time.
#include "core/sync/fetch_pipeline.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include "tests/support/times.hpp"
#include "tests/unit/sync/run_coroutine.hpp"
#include "tests/unit/sync/world.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::plan;
using namespace mirror::sync;
using namespace mirror::tests;
using namespace std::chrono_literals;

namespace {

const Instant noon = utc("2026-06-01 12:00:00");

// A disk that takes ten minutes of the fake clock for every transaction: nothing waits in truth.
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

// Finds in its first transaction that many IDs were those of other events.
struct Replacing final : FakeStore {
    using FakeStore::FakeStore;

    boost::asio::awaitable<Written> commit(std::vector<WholeWindow> windows, Instant now) override {
        Written written = co_await FakeStore::commit(std::move(windows), now);
        for (; found < 30; ++found) {
            ReplacedRow row;
            row.id = found + 1;
            written.replaced.push_back(row);
            written.repeated_ids.push_back(row.id);
        }
        co_return written;
    }

    std::int64_t found = 0;
};

}  // namespace

TEST_CASE("what was read and is not stored yet is bounded, however slow the disk is") {
    for (const Order order : {Order::time, Order::id, Order::hash}) {
        CAPTURE(static_cast<int>(order));
        World world(noon);
        world.model.order = order;
        constexpr int rows = 150'000;
        for (int row = 0; row < rows; ++row) {
            world.model.add(noon - 24h * 30 + Seconds(row * 4));
        }
        world.settings.start = local("2026-05-01 00:00:00");
        world.settings.recheck_ages.clear();
        Slow store(world.settings.zone, world.clock);
        std::uint64_t served = 0;
        std::uint64_t most = 0;
        world.api.distort = [&](const copernica::PageQuery&, copernica::Page& page) {
            served += page.records();
            most = std::max(most, served - std::min(served, store.stored));
        };
        Session session(world.loop.get_executor(), world.api, store, world.clock, world.log,
                        world.settings);
        CHECK(run(world.loop, session.sync()).whole());
        // Beside what there is room for, pages that begin with the last record of the one before,
        // and what was read twice.
        const std::uint64_t room = AdaptiveState::pages_a_connection * world.settings.connections *
                                   world.settings.page_size;
        CAPTURE(most);
        CHECK(most > room / 4);
        CHECK(most < room * 5 / 4);
    }
}

namespace {

// An API whose requests all take equally long: one round.
struct InRounds final : copernica::Api {
    explicit InRounds(FakeApi& answering) : inner(answering) {}

    boost::asio::awaitable<void> wait_for_the_round() {
        const auto timer = std::make_shared<boost::asio::steady_timer>(
            co_await boost::asio::this_coro::executor,
            boost::asio::steady_timer::time_point::max());
        waiting.push_back(timer);
        boost::system::error_code ended;  // always operation_aborted
        co_await timer->async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ended));
    }
    boost::asio::awaitable<copernica::PageReply> page(const Stream& stream,
                                                      copernica::PageQuery query,
                                                      copernica::RequestGate& gate) override {
        co_await wait_for_the_round();
        co_return co_await inner.page(stream, query, gate);
    }
    boost::asio::awaitable<copernica::Identity> identity(copernica::RequestGate& gate) override {
        co_await wait_for_the_round();
        co_return co_await inner.identity(gate);
    }
    boost::asio::awaitable<copernica::StatisticsReply> statistics(
        copernica::StatisticsQuery query, copernica::RequestGate& gate) override {
        co_await wait_for_the_round();
        co_return co_await inner.statistics(std::move(query), gate);
    }
    void end_round() {
        for (const auto& timer : std::exchange(waiting, {})) {
            timer->cancel();
        }
    }

    FakeApi& inner;
    std::vector<std::shared_ptr<boost::asio::steady_timer>> waiting;
};

}  // namespace

TEST_CASE("of many IDs that are used again, the first few are reported") {
    World world(noon);
    for (int row = 0; row < 1000; ++row) {
        world.model.add(noon - 24h + Seconds(row * 60));
    }
    world.settings.start = local("2026-05-30 00:00:00");
    world.settings.recheck_ages.clear();
    Replacing store(world.settings.zone);
    Session session(world.loop.get_executor(), world.api, store, world.clock, world.log,
                    world.settings);
    const Outcome outcome = run(world.loop, session.sync());
    CHECK(outcome.whole());
    REQUIRE(store.found == 30);
    const auto reported = [&](const char* words) {
        return std::count_if(
            world.log.warnings.begin(), world.log.warnings.end(),
            [&](const std::string& line) { return line.find(words) != std::string::npos; });
    };
    CHECK(reported("is another impression now") == 10);
    CHECK(reported("two records have the ID") == 10);
    // They are not all kept in memory.
    CHECK(outcome.written.replaced.empty());
    CHECK(outcome.written.repeated_ids.empty());
}

TEST_CASE("a first load keeps its connections busy and its pages full, and writes in order" *
          doctest::test_suite("long")) {
    World world(noon);
    world.settings.requests_per_second = 1000;
    world.settings.start = local("2025-11-01 00:00:00");
    world.settings.recheck_ages.clear();
    world.api.duration = std::chrono::milliseconds(0);
    // Two hundred mailings: much in a few hours, little until the next.
    constexpr int mailings = 200;
    // Not a multiple of a page: each page repeats a row of the one before, so that one that is full
    // to the last row costs another request.
    constexpr int rows = 2'900;
    std::mt19937 random(5);
    for (int mailing = 0; mailing < mailings; ++mailing) {
        const Instant sent = noon - 24h * mailings + 24h * mailing;
        for (int row = 0; row < rows; ++row) {
            world.model.add(sent + Seconds(random() % 7200 + random() % 3600));
        }
    }
    InRounds api(world.api);
    Session session(world.loop.get_executor(), api, world.store, world.clock, world.log,
                    world.settings);
    bool ended = false;
    boost::asio::co_spawn(world.loop, session.sync(),
                          [&](const std::exception_ptr& failed, const Outcome& outcome) {
                              CHECK_FALSE(failed);
                              CHECK(outcome.whole());
                              ended = true;
                          });
    std::uint64_t rounds = 0;
    while (!ended) {
        world.loop.poll();
        api.end_round();
        REQUIRE(++rounds < 10'000);
    }
    const std::uint64_t requests = world.api.pages + world.api.identities;
    CAPTURE(requests);
    // Some are made one after another: identity, the first windows, the count at the end.
    CHECK(rounds < requests / world.settings.connections * 115 / 100 + 15);
    CHECK(requests < mailings * rows / world.settings.page_size * 100 / 88);
    const std::vector<Window>& written = world.store.committed;
    const auto out_of_order =
        std::is_sorted_until(written.begin(), written.end(),
                             [](const Window& a, const Window& b) { return a.begin < b.begin; });
    // The last one is the tail, which begins with the newest row.
    CHECK(written.end() - out_of_order <= 1);
    CHECK(world.difference() == "");
}

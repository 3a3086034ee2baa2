// A graceful stop keeps what was read.

#include <chrono>
#include <cstdint>
#include <exception>
#include <set>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include "tests/support/times.hpp"
#include "tests/unit/sync/live.hpp"

using namespace mirror;
using namespace mirror::tests;
using namespace std::chrono_literals;

namespace {

const Instant noon = live_noon;

}  // namespace

TEST_CASE("sync: a graceful stop keeps nearly all if the rate is what it waits for") {
    for (const auto at : {3s, 4s, 5s}) {
        CAPTURE(at.count());
        Live world;
        world.settings.start = local("2026-05-01 00:00:00");
        world.settings.page_size = 100;
        world.settings.requests_per_second = 10;
        world.settings.connections = 4;
        for (Instant time = noon - 24h * 150; time < noon - 36h; time += Seconds(600)) {
            world.model.add(time);
        }
        world.api.duration = 50ms;
        world.api.side_by_side = true;
        std::set<std::int64_t> fetched;
        world.api.distort = [&](const copernica::PageQuery&, copernica::Page& page) {
            for (const Row& row : page.rows) {
                fetched.insert(row.id);
            }
        };
        sync::Session session(world.loop.get_executor(), world.api, world.store, world.clock,
                              world.log, world.settings);
        const Monotonic begun = world.clock.monotonic();
        bool stopping = false;
        boost::asio::cancellation_signal cancel;
        world.clock.on_time = [&] {
            const auto elapsed = world.clock.monotonic() - begun;
            if (!stopping && elapsed >= at) {
                stopping = session.finish_soon().count() > 0;
            }
            if (elapsed >= at + 2s) {
                boost::asio::post(world.loop, [&cancel] {
                    cancel.emit(boost::asio::cancellation_type::terminal);
                });
            }
        };
        boost::asio::co_spawn(
            world.loop, session.sync(),
            boost::asio::bind_cancellation_slot(
                cancel.slot(), [](const std::exception_ptr&, const sync::Outcome&) {}));
        world.loop.restart();
        world.loop.run();
        world.clock.on_time = nullptr;
        CHECK(fetched.size() > 1000);
        CAPTURE(world.store.rows.size());
        CHECK(world.store.rows.size() * 10 >= fetched.size() * 9);
        CHECK(world.sync().whole());
        CHECK(world.difference() == "");
    }
}

TEST_CASE("sync: a graceful stop keeps what it has, whatever a request takes") {
    for (const auto duration : {50ms, 500ms, 1000ms, 1900ms}) {
        for (const Order order : {Order::time, Order::id}) {
            CAPTURE(duration.count());
            CAPTURE(static_cast<int>(order));
            Live world;
            world.model.order = order;
            world.settings.start = local("2026-10-14 13:00:00");
            world.settings.page_size = 100;
            for (Instant at = noon - 24h * 40; at < noon - 36h; at += Seconds(500)) {
                world.model.add(at);
            }
            world.api.duration = duration;
            world.api.side_by_side = true;
            const std::size_t history =
                world.model
                    .matching({local("2026-10-01 00:00:00"), local("2026-11-20 00:00:00")}, noon)
                    .size();
            std::size_t stored = 0;
            int stops = 0;
            int stalled = 0;  // stops in a row that stored nothing
            // At two seconds a request, no five seconds are enough to come to the end of a sync.
            for (bool ended = false; !ended; ++stops) {
                REQUIRE(stops < 400);
                sync::Session session(world.loop.get_executor(), world.api, world.store,
                                      world.clock, world.log, world.settings);
                const Monotonic begun = world.clock.monotonic();
                bool stopping = false;
                boost::asio::cancellation_signal cancel;
                world.clock.on_time = [&] {
                    const auto elapsed = world.clock.monotonic() - begun;
                    if (!stopping && elapsed >= 5s) {
                        stopping = session.finish_soon().count() > 0;
                    }
                    if (elapsed >= (stopping ? 7s : 5s)) {
                        // Not from within a sleeper: cancelling runs handlers.
                        boost::asio::post(world.loop, [&cancel] {
                            cancel.emit(boost::asio::cancellation_type::terminal);
                        });
                    }
                };
                std::exception_ptr failed;
                boost::asio::co_spawn(
                    world.loop, session.sync(),
                    boost::asio::bind_cancellation_slot(
                        cancel.slot(), [&](const std::exception_ptr& error, const sync::Outcome&) {
                            failed = error;
                        }));
                world.loop.restart();
                world.loop.run();
                world.clock.on_time = nullptr;
                ended = !failed || world.store.rows.size() >= history;
                if (!ended) {
                    // Near two seconds a request, what comes before the first window may take
                    // nearly all of the time.
                    stalled = world.store.rows.size() > stored || stops < 2 ? 0 : stalled + 1;
                    CHECK(stalled <= (duration > 1s ? 2 : 0));
                    stored = world.store.rows.size();
                }
            }
            CHECK(world.difference() == "");
            CHECK(stops >= 2);
            CHECK(world.sync().whole());
            CHECK(world.difference() == "");
        }
    }
}

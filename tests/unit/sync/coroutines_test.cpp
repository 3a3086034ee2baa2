#include <algorithm>
#include <stdexcept>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include "core/copernica/throttle.hpp"
#include "core/util/async_condition.hpp"
#include "core/util/task_group.hpp"
#include "tests/support/times.hpp"
#include "tests/unit/sync/fake_clock.hpp"
#include "tests/unit/sync/run_coroutine.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::tests;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

struct GateFixture {
    explicit GateFixture(unsigned rate = 10, unsigned connections = 4)
        : gate(loop.get_executor(), clock, limits(rate, connections), 42) {}
    static Throttle::Limits limits(unsigned rate, unsigned connections) {
        Throttle::Limits limits;
        limits.requests_per_second = rate;
        limits.connections = connections;
        return limits;
    }

    asio::io_context loop;
    FakeClock clock{utc("2026-06-01 10:00:00")};
    Throttle gate;
    std::vector<Monotonic> entered;
    std::vector<int> order;
    int inside = 0;
    int most_inside = 0;

    asio::awaitable<void> request(int number, std::chrono::milliseconds duration, bool succeeds,
                                  std::optional<std::chrono::seconds> retry_after = {},
                                  Lane lane = Lane::backlog) {
        Throttle::Permit pass = co_await gate.enter(lane);
        co_await pass.pass();
        entered.push_back(clock.monotonic());
        order.push_back(number);
        most_inside = std::max(most_inside, ++inside);
        co_await clock.sleep(duration);
        --inside;
        if (succeeds) {
            pass.succeeded();
        } else {
            pass.failed(retry_after);
        }
    }
    void spawn(asio::awaitable<void> work) {
        asio::co_spawn(loop, std::move(work), [](const std::exception_ptr& error) {
            if (error) {
                std::rethrow_exception(error);
            }
        });
    }
};

}  // namespace

TEST_CASE("no second sees more requests than allowed") {
    for (const unsigned rate : {1U, 3U, 10U, 64U, 65U, 1000U}) {
        CAPTURE(rate);
        GateFixture fixture(rate, 4);
        const int requests = static_cast<int>(std::min(rate * 4, 400U));
        for (int i = 0; i < requests; ++i) {
            fixture.spawn(fixture.request(i, 0ms, true));
        }
        fixture.loop.run();
        REQUIRE(fixture.entered.size() == static_cast<std::size_t>(requests));
        for (std::size_t i = rate; i < fixture.entered.size(); ++i) {
            CHECK(fixture.entered[i] - fixture.entered[i - rate] >= 1s);
        }
        CHECK(fixture.most_inside <= 4);
        CHECK(std::is_sorted(fixture.order.begin(), fixture.order.end()));
        CHECK(fixture.gate.requests() == static_cast<std::uint64_t>(requests));
        CHECK(fixture.gate.successes() == static_cast<std::uint64_t>(requests));
    }
}

TEST_CASE("while the server fails, one at a time; after a success, all again") {
    GateFixture fixture(1000, 4);
    run(fixture.loop, fixture.request(0, 1ms, false));
    CHECK(fixture.gate.failing_for() == 0ms);
    for (int i = 1; i <= 5; ++i) {
        fixture.spawn(fixture.request(i, 10ms, false));
    }
    fixture.loop.restart();
    fixture.loop.run();
    CHECK(fixture.most_inside == 1);
    CHECK(fixture.gate.failing_for() >= 50ms);
    run(fixture.loop, fixture.request(6, 1ms, true));
    CHECK(fixture.gate.failing_for() == 0ms);
    for (int i = 7; i < 15; ++i) {
        fixture.spawn(fixture.request(i, 10ms, true));
    }
    fixture.loop.restart();
    fixture.loop.run();
    CHECK(fixture.most_inside == 4);
}

TEST_CASE("requests that fail together are one failure") {
    GateFixture fixture(1000, 4);
    for (int i = 0; i < 4; ++i) {
        fixture.spawn(fixture.request(i, 10ms, false));
    }
    fixture.loop.run();
    const Monotonic failed = fixture.clock.monotonic();
    run(fixture.loop, fixture.request(4, 1ms, true));
    CHECK(fixture.entered.back() - failed <= 1s);  // the ceiling of the first failure
}

TEST_CASE("Retry-After is obeyed, up to an hour") {
    for (const auto& [asked, waited] : {std::pair{120s, 120s}, std::pair{7200s, 3600s}}) {
        GateFixture fixture;
        run(fixture.loop, fixture.request(0, 1ms, false, asked));
        const Monotonic failed = fixture.clock.monotonic();
        run(fixture.loop, fixture.request(1, 1ms, true));
        CHECK(fixture.entered.back() - failed == waited);
    }
}

TEST_CASE("what fails in the backlog holds up neither the tail nor its connection") {
    GateFixture fixture(1000, 4);
    fixture.gate.keep_connection_for_tail();
    // All that the backlog may have under way hangs.
    for (int i = 0; i < 6; ++i) {
        fixture.spawn(fixture.request(i, 60s, false));
    }
    fixture.spawn(fixture.request(100, 10ms, true, {}, Lane::tail));
    fixture.loop.run();
    REQUIRE(fixture.order.size() == 7);
    const auto at_of = [&](int number) {
        const auto found = std::find(fixture.order.begin(), fixture.order.end(), number);
        return fixture.entered[static_cast<std::size_t>(found - fixture.order.begin())];
    };
    CHECK(at_of(100) == Monotonic{});
    CHECK(at_of(3) >= Monotonic{} + 60s);  // three at a time, then one
    CHECK(at_of(5) >= Monotonic{} + 120s);

    // The backlog pauses; the tail does not.
    const Monotonic before = fixture.clock.monotonic();
    run(fixture.loop, fixture.request(101, 10ms, true, {}, Lane::tail));
    CHECK(fixture.entered.back() == before);
}

TEST_CASE("what fails in the tail does not hold up the backlog") {
    GateFixture fixture(1000, 4);
    fixture.gate.keep_connection_for_tail();
    run(fixture.loop, fixture.request(100, 10ms, false, {}, Lane::tail));
    // The tail may have one request under way now; it hangs, and another one waits for it.
    fixture.clock.advance(1min);
    fixture.spawn(fixture.request(101, 60s, false, {}, Lane::tail));
    fixture.spawn(fixture.request(102, 10ms, true, {}, Lane::tail));
    fixture.spawn(fixture.request(1, 10ms, true));
    const Monotonic before = fixture.clock.monotonic();
    fixture.loop.restart();
    fixture.loop.run();
    const auto found = std::find(fixture.order.begin(), fixture.order.end(), 1);
    REQUIRE(found != fixture.order.end());
    CHECK(fixture.entered[static_cast<std::size_t>(found - fixture.order.begin())] - before < 30s);
}

TEST_CASE("the tail takes the next request that the rate allows") {
    GateFixture fixture(1, 4);
    for (int i = 0; i < 3; ++i) {
        fixture.spawn(fixture.request(i, 1ms, true));
    }
    fixture.spawn(fixture.request(100, 1ms, true, {}, Lane::tail));
    fixture.loop.run();
    CHECK(std::find(fixture.order.begin(), fixture.order.end(), 100) - fixture.order.begin() <= 1);
}

TEST_CASE("requests that come too fast for the server become slower, and faster again") {
    GateFixture fixture(10, 4);
    const auto ask = [&fixture](bool too_fast) -> asio::awaitable<void> {
        Throttle::Permit pass = co_await fixture.gate.enter();
        co_await pass.pass();
        if (too_fast) {
            pass.too_fast(0s);
        } else {
            pass.succeeded();
        }
    };
    run(fixture.loop, ask(true));
    CHECK(fixture.gate.rate() == doctest::Approx(5));
    run(fixture.loop, ask(true));
    CHECK(fixture.gate.rate() == doctest::Approx(2.5));
    run(fixture.loop, ask(false));
    CHECK(fixture.gate.rate() == doctest::Approx(2.5 + RequestRate::step));
    for (int i = 0; i < 1000; ++i) {
        run(fixture.loop, ask(false));
    }
    CHECK(fixture.gate.rate() == doctest::Approx(10));
}

TEST_CASE("request rate: never more than it says, however slow") {
    RequestRate rate(10);
    for (int i = 0; i < 20; ++i) {
        rate.too_fast();
    }
    CHECK(rate.now() == doctest::Approx(RequestRate::slowest));
    const Monotonic start{};
    rate.went(start);
    CHECK(rate.next() == start + 10s);

    RequestRate half(5);
    half.too_fast();  // two in 0.8 s
    half.went(start);
    CHECK(half.next() <= start);
    half.went(start);
    CHECK(half.next() == start + 800ms);
}

TEST_CASE("request rate: another one while requests go") {
    const Monotonic start{};
    RequestRate rate(10);
    for (int i = 0; i < 10; ++i) {
        rate.went(start);
    }
    CHECK(rate.next() == start + 1s);
    rate.set_most(20);  // ten more in the same second
    CHECK(rate.now() == doctest::Approx(20));
    CHECK(rate.next() <= start);
    rate.set_most(2);
    CHECK(rate.now() == doctest::Approx(2));
    CHECK(rate.next() == start + 1s);
    rate.succeeded();
    CHECK(rate.now() == doctest::Approx(2));

    // What the server refuses does not become right by a greater limit.
    rate.too_fast();
    rate.set_most(10);
    CHECK(rate.now() == doctest::Approx(1));
    for (int i = 0; i < 1000; ++i) {
        rate.succeeded();
    }
    CHECK(rate.now() == doctest::Approx(10));
}

TEST_CASE("a new rate holds for the requests that wait") {
    GateFixture fixture(1, 4);
    for (int i = 0; i < 61; ++i) {
        fixture.spawn(fixture.request(i, 0ms, true));
    }
    const auto raise = [&fixture]() -> asio::awaitable<void> {
        co_await fixture.clock.sleep(std::chrono::milliseconds(10'500));
        fixture.gate.set_rate(10);
    };
    fixture.spawn(raise());
    fixture.loop.run();
    REQUIRE(fixture.entered.size() == 61);
    CHECK(fixture.entered[10] - fixture.entered[0] == 10s);
    CHECK(fixture.entered[60] - fixture.entered[10] <= 6s);
    for (std::size_t i = 20; i < 61; ++i) {
        CHECK(fixture.entered[i] - fixture.entered[i - 10] >= 1s);
    }
}

TEST_CASE("a request that is cancelled while it waits leaves the queue") {
    GateFixture fixture(1000, 1);
    asio::cancellation_signal signal;
    bool cancelled = false;
    fixture.spawn(fixture.request(0, 1ms, true));
    asio::co_spawn(
        fixture.loop, fixture.request(1, 1ms, true),
        asio::bind_cancellation_slot(
            signal.slot(), [&](const std::exception_ptr& error) { cancelled = error != nullptr; }));
    fixture.spawn(fixture.request(2, 1ms, true));
    fixture.loop.poll_one();
    fixture.loop.poll_one();
    signal.emit(asio::cancellation_type::terminal);
    fixture.loop.run();
    CHECK(cancelled);
    CHECK(fixture.order == std::vector<int>{0, 2});
}

TEST_CASE("a request that is cancelled in a pause leaves the queue") {
    GateFixture fixture(1000, 1);
    run(fixture.loop, fixture.request(0, 1ms, false, 60s));
    fixture.clock.hold(true);
    asio::cancellation_signal signal;
    bool cancelled = false;
    asio::co_spawn(
        fixture.loop, fixture.request(1, 1ms, true),
        asio::bind_cancellation_slot(
            signal.slot(), [&](const std::exception_ptr& error) { cancelled = error != nullptr; }));
    fixture.spawn(fixture.request(2, 1ms, true));
    fixture.loop.restart();
    const auto go_on = [&] {
        for (int i = 0; i < 20; ++i) {
            fixture.loop.poll_one();
        }
    };
    go_on();
    signal.emit(asio::cancellation_type::terminal);
    go_on();  // the signal itself travels through the loop
    fixture.clock.hold(false);
    fixture.loop.run();
    CHECK(cancelled);
    CHECK(fixture.order == std::vector<int>{0, 2});
}

namespace {

struct Group {
    asio::io_context loop;
    AsyncCondition never{loop.get_executor()};
    int ended = 0;
    int cancelled = 0;
    bool going_on = false;

    asio::awaitable<void> waits() {
        try {
            co_await never.wait();
        } catch (const boost::system::system_error& error) {
            CHECK(error.code() == asio::error::operation_aborted);
            ++cancelled;
            throw;
        }
        ++ended;
    }
    asio::awaitable<void> ends() {
        co_await asio::post(loop, asio::use_awaitable);
        ++ended;
    }
    asio::awaitable<void> throws(const char* what) {
        co_await asio::post(loop, asio::use_awaitable);
        throw std::runtime_error(what);
    }
    // As one that finishes a transaction first.
    asio::awaitable<void> hears_later() {
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        for (int i = 0; i < 20; ++i) {
            co_await asio::post(loop, asio::use_awaitable);
        }
        co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
        co_await waits();
    }
    asio::awaitable<void> one_hears_later() {
        TaskGroup group(loop.get_executor());
        group.spawn(hears_later());
        group.spawn(throws("the first"));
        co_await group.join();
    }
    asio::awaitable<void> joined(bool error) {
        TaskGroup group(loop.get_executor());
        group.spawn(ends());
        group.spawn(waits());
        group.spawn(waits());
        if (error) {
            group.spawn(throws("the first"));
            group.spawn(throws("the second"));
        }
        co_await group.join();
    }
    asio::awaitable<void> goes_on_after_an_error() {
        bool failed = false;
        try {
            co_await joined(true);
        } catch (const std::runtime_error&) {
            failed = true;
        }
        CHECK(failed);
        going_on = true;
        co_await waits();
    }
    asio::awaitable<void> all_end() {
        TaskGroup group(loop.get_executor());
        group.spawn(ends());
        group.spawn(ends());
        co_await group.join();
        CHECK(ended == 2);
        co_await group.join();
        group.spawn(ends());
        co_await group.join();
    }
};

}  // namespace

TEST_CASE("a group ends when all its tasks have ended") {
    Group group;
    run(group.loop, group.all_end());
    CHECK(group.ended == 3);
}

TEST_CASE("the first error cancels the other tasks and is thrown again") {
    Group group;
    CHECK_THROWS_WITH(run(group.loop, group.joined(true)), "the first");
    CHECK(group.ended == 1);
    CHECK(group.cancelled == 2);
}

TEST_CASE("a task that does not hear of the first error at once is told again") {
    Group group;
    CHECK_THROWS_WITH(run(group.loop, group.one_hears_later()), "the first");
    CHECK(group.cancelled == 1);
}

TEST_CASE("cancelling the one that joins cancels the tasks") {
    Group group;
    asio::cancellation_signal signal;
    boost::system::error_code code;
    asio::co_spawn(
        group.loop, group.joined(false),
        asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& error) {
            try {
                if (error) {
                    std::rethrow_exception(error);
                }
            } catch (const boost::system::system_error& failed) {
                code = failed.code();
            }
        }));
    group.loop.poll();
    CHECK(group.cancelled == 0);
    signal.emit(asio::cancellation_type::terminal);
    group.loop.restart();
    group.loop.run();
    CHECK(code == asio::error::operation_aborted);
    CHECK(group.cancelled == 2);
}

TEST_CASE("a task that goes on after an error of the group can still be cancelled") {
    Group group;
    asio::cancellation_signal signal;
    asio::co_spawn(group.loop, group.goes_on_after_an_error(),
                   asio::bind_cancellation_slot(signal.slot(), [](const std::exception_ptr&) {}));
    while (!group.going_on) {
        group.loop.restart();
        group.loop.run_one();
    }
    signal.emit(asio::cancellation_type::terminal);
    group.loop.restart();
    group.loop.poll();
    CHECK(group.cancelled == 3);
}

TEST_CASE("a wake-up wakes all that wait, and none that come later") {
    asio::io_context loop;
    AsyncCondition wakeup(loop.get_executor());
    int woken = 0;
    const auto wait = [&]() -> asio::awaitable<void> {
        co_await wakeup.wait();
        ++woken;
    };
    const auto count = [](const std::exception_ptr& error) { CHECK_FALSE(error); };
    wakeup.notify_all();  // nobody there: not remembered
    asio::co_spawn(loop, wait(), count);
    asio::co_spawn(loop, wait(), count);
    loop.poll();
    CHECK(woken == 0);
    wakeup.notify_all();
    asio::co_spawn(loop, wait(), count);
    loop.restart();
    loop.poll();
    CHECK(woken == 2);
    wakeup.notify_all();
    loop.restart();
    loop.run();
    CHECK(woken == 3);
}

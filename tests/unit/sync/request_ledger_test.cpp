// Requests are counted to the day on which they are made.
#include "core/sync/request_ledger.hpp"

#include <chrono>
#include <cstdint>

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include "tests/support/times.hpp"
#include "tests/unit/sync/fake_clock.hpp"
#include "tests/unit/sync/fake_store.hpp"
#include "tests/unit/sync/run_coroutine.hpp"

using namespace mirror;
using namespace mirror::tests;
using namespace std::chrono_literals;

namespace {

const Instant before_midnight = utc("2026-11-23 23:59:30");

std::int64_t day_of(Instant at) {
    return std::chrono::floor<std::chrono::days>(at).time_since_epoch().count();
}

// A ledger that is open, and the counts that its file has.
struct Counted {
    explicit Counted(std::uint64_t limit) : ledger(store, clock, limit) {
        run(loop, ledger.open());
    }

    void spend(int requests) {
        for (int i = 0; i < requests; ++i) {
            run(loop, ledger.spend());
        }
    }

    void flush() { run(loop, ledger.flush()); }

    std::int64_t yesterday() { return store.requests[day_of(before_midnight)]; }
    std::int64_t today() { return store.requests[day_of(before_midnight) + 1]; }

    boost::asio::io_context loop;
    FakeStore store{Zone("Europe/Amsterdam")};
    FakeClock clock{before_midnight};
    sync::RequestLedger ledger;
};

}  // namespace

TEST_CASE("ledger: a request counts for the day on which it is made") {
    for (const std::uint64_t limit : {0U, 1000U}) {
        CAPTURE(limit);
        Counted counted(limit);
        counted.spend(5);
        counted.clock.advance(1min);
        counted.spend(3);
        counted.flush();
        CHECK(counted.yesterday() == 5);
        CHECK(counted.today() == 3);
    }
}

TEST_CASE("ledger: what is written down after midnight counts for the day before") {
    for (const std::uint64_t limit : {0U, 1000U}) {
        CAPTURE(limit);
        Counted counted(limit);
        counted.spend(5);
        counted.clock.advance(1min);
        counted.flush();
        CHECK(counted.yesterday() == 5);
        CHECK(counted.today() == 0);
    }
}

TEST_CASE("ledger: what was asked before the file was open counts") {
    boost::asio::io_context loop;
    FakeStore store{Zone("Europe/Amsterdam")};
    FakeClock clock{before_midnight};
    sync::RequestLedger ledger(store, clock, 0);
    run(loop, ledger.spend());
    run(loop, ledger.open());
    CHECK(store.requests[day_of(before_midnight)] == 1);
}

TEST_CASE("ledger: what could not be written down is written the next time") {
    Counted counted(0);
    counted.spend(5);
    counted.store.full = true;
    CHECK_THROWS(counted.flush());
    counted.store.full = false;
    counted.spend(1);
    counted.flush();
    CHECK(counted.yesterday() == 6);
}

#include "core/sync/past_turns.hpp"

#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

using namespace mirror::sync;

namespace {

// A round that waits to begin.
struct Waiting {
    Waiting() : turns(loop.get_executor()) {
        boost::asio::co_spawn(loop, wait(), boost::asio::detached);
    }

    boost::asio::awaitable<void> wait() {
        co_await turns.until_round_may_begin();
        begun = true;
    }

    bool may_begin() {
        loop.restart();
        loop.poll();
        return begun;
    }

    boost::asio::io_context loop;
    PastTurns turns;
    bool begun = false;
};

}  // namespace

TEST_CASE("past turns: a round waits for the first poll, however that ends") {
    for (const bool succeeded : {true, false}) {
        Waiting round;
        CHECK_FALSE(round.may_begin());
        round.turns.ended(succeeded);
        CHECK(round.may_begin());
    }
}

TEST_CASE("past turns: a round waits while a poll reaches back") {
    Waiting round;
    std::optional<PastTurns::Turn> poll;
    round.turns.begin_poll(poll);
    round.turns.ended(true);
    CHECK_FALSE(round.may_begin());
    poll.reset();
    CHECK(round.may_begin());
}

TEST_CASE("past turns: a round waits for a poll that could not reach back, unless that fails") {
    Waiting round;
    round.turns.let_poll_wait(true);
    round.turns.ended(true);
    CHECK_FALSE(round.may_begin());
    round.turns.ended(false);
    CHECK(round.may_begin());

    Waiting other;
    other.turns.let_poll_wait(true);
    other.turns.ended(true);
    CHECK_FALSE(other.may_begin());
    other.turns.let_poll_wait(false);
    other.turns.ended(true);
    CHECK(other.may_begin());
}

TEST_CASE("past turns: a poll sees that a round is at work") {
    boost::asio::io_context loop;
    PastTurns turns(loop.get_executor());
    CHECK_FALSE(turns.round_at_work());
    {
        const PastTurns::Turn round = turns.begin_round();
        CHECK(turns.round_at_work());
    }
    CHECK_FALSE(turns.round_at_work());
}

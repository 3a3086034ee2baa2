// A page that is paid for is filled: how far back polls ask, and when.
#include "core/plan/poll_reach.hpp"

#include <doctest/doctest.h>

#include "core/time/clock.hpp"

using namespace mirror;
using namespace mirror::plan;
using namespace std::chrono_literals;

namespace {

Monotonic at(Seconds seconds) {
    return Monotonic(seconds);
}

}  // namespace

TEST_CASE("reach: how often polls reach how far") {
    PollReach reach;
    CHECK(reach.due(at(1s)) == std::vector<Seconds>{24h, 6h, 20min});
    reach.reached(24h, at(0s));
    CHECK(reach.due(at(239s)).empty());
    CHECK(reach.due(at(240s)) == std::vector<Seconds>{20min});
    reach.reached(20min, at(240s));
    CHECK(reach.due(at(12min)) == std::vector<Seconds>{6h, 20min});
    // A poll that reaches far has reached what is near.
    reach.reached(6h, at(12min));
    CHECK(reach.due(at(15min)).empty());
    CHECK(reach.due(at(1h)) == std::vector<Seconds>{24h, 6h, 20min});
    // What does not fit is not tried at each poll, and says nothing of the others.
    reach.did_not_fit(24h, at(1h));
    CHECK(reach.due(at(1h)) == std::vector<Seconds>{6h, 20min});
    reach.reached(0s, at(1h));
    CHECK(reach.due(at(1h)) == std::vector<Seconds>{6h, 20min});
}

TEST_CASE("reach: a day of polls each minute") {
    PollReach reach;
    int far = 0;
    int six_hours = 0;
    int near = 0;
    for (Seconds now = 1s; now < 24h; now += 1min) {
        const auto due = reach.due(at(now));
        const Seconds chosen = due.empty() ? 0s : due.front();
        far += chosen == 24h ? 1 : 0;
        six_hours += chosen == 6h ? 1 : 0;
        near += chosen == 20min ? 1 : 0;
        reach.reached(chosen, at(now));
    }
    CHECK(far == 24);
    CHECK(six_hours == 96);
    CHECK(near == 240);
}

TEST_CASE("reach: what fits") {
    CHECK(PollReach::fits(24h, 499, 1000));
    CHECK_FALSE(PollReach::fits(24h, 500, 1000));
    CHECK_FALSE(PollReach::fits(6h, 500, 1000));
    // It takes the place of a request that would read as much.
    CHECK(PollReach::fits(20min, 899, 1000));
    CHECK_FALSE(PollReach::fits(20min, 900, 1000));
}

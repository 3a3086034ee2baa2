#include "tests/unit/sync/fake_clock.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "tests/unit/sync/turns.hpp"

namespace mirror::tests {

namespace asio = boost::asio;

namespace {

// One sleeper among those of a clock, until he wakes or is cancelled.
class Asleep {
  public:
    Asleep(std::multiset<std::chrono::milliseconds>& wakes, std::chrono::milliseconds until)
        : wakes_(wakes), place_(wakes.insert(until)) {}
    ~Asleep() { wakes_.erase(place_); }
    Asleep(const Asleep&) = delete;
    Asleep& operator=(const Asleep&) = delete;

    bool first() const { return *place_ == *wakes_.begin(); }
    std::chrono::milliseconds until() const { return *place_; }

  private:
    std::multiset<std::chrono::milliseconds>& wakes_;
    std::multiset<std::chrono::milliseconds>::iterator place_;
};

}  // namespace

Instant FakeClock::utc() const {
    return now() + error_;
}

asio::awaitable<void> FakeClock::sleep(std::chrono::milliseconds duration) {
    // Between two steps there may be turns of the loop that are not counted.
    constexpr int quiet_turns = 12;
    const Asleep asleep(wakes_, passed_ + duration);
    std::uint64_t seen = steps_done();
    for (int quiet = 0; quiet < quiet_turns || held_ || !asleep.first(); ++quiet) {
        co_await yield();
        if (std::exchange(seen, steps_done()) != steps_done() || !asleep.first() ||
            (busy && busy())) {
            quiet = 0;
        }
    }
    count_step();
    passed_ = std::max(passed_, asleep.until());
    if (on_time) {
        on_time();
    }
}

void FakeClock::advance_to(Instant at) {
    passed_ = std::max(passed_, std::chrono::milliseconds(at - start_));
}

}  // namespace mirror::tests

#include "tests/simulator/clock.hpp"

#include <utility>

namespace simulator {

mirror::Instant ServerClock::now() const {
    const std::lock_guard lock(mutex_);
    return source_() + ahead_;
}

void ServerClock::stand_at(mirror::Instant at) {
    follow([at] { return at; });
}

void ServerClock::run_from(mirror::Instant at) {
    const auto since = std::chrono::steady_clock::now();
    follow([at, since] {
        return at + std::chrono::floor<mirror::Seconds>(std::chrono::steady_clock::now() - since);
    });
}

void ServerClock::advance(mirror::Seconds by) {
    const std::lock_guard lock(mutex_);
    ahead_ += by;
}

void ServerClock::follow(std::function<mirror::Instant()> source) {
    const std::lock_guard lock(mutex_);
    source_ = std::move(source);
    ahead_ = mirror::Seconds(0);
}

}  // namespace simulator

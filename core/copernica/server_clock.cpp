#include "core/copernica/server_clock.hpp"

#include <algorithm>

namespace mirror::copernica {
namespace {

bool near(Instant a, Instant b) {
    return std::chrono::abs(a - b) <= ServerClock::tolerance;
}

}  // namespace

Instant ServerClock::Reading::carried_to(Monotonic now) const {
    return date + std::chrono::floor<Seconds>(now - at);
}

ServerClock::ServerClock(Instant machine_utc, Monotonic now) : reading_{machine_utc, now} {}

void ServerClock::observe(std::optional<Instant> date, Monotonic now) {
    if (!date) {
        return;
    }
    if (near(*date, this->now(now))) {
        reading_ = {*date, now};
        accepted_ = true;
        candidate_.reset();
        return;
    }
    const bool agrees = candidate_ && near(*date, candidate_->carried_to(now));
    agreeing_ = agrees ? agreeing_ + 1 : 1;
    candidate_ = Reading{*date, now};
    if (agreeing_ >= agreement) {
        reading_ = *candidate_;
        accepted_ = true;
        candidate_.reset();
    }
}

Instant ServerClock::now(Monotonic now) const {
    return reading_.carried_to(now);
}

std::optional<Instant> ServerClock::valid_until(std::optional<Instant> date, Monotonic now) const {
    if (!date) {
        return std::nullopt;
    }
    return std::min(*date, this->now(now));
}

}  // namespace mirror::copernica

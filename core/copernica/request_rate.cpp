#include "core/copernica/request_rate.hpp"

#include <algorithm>

namespace mirror::copernica {

void RequestRate::set_most(unsigned most_per_second) {
    const bool come_down = now_ < static_cast<double>(most_);
    most_ = most_per_second;
    now_ = come_down ? std::min(now_, static_cast<double>(most_)) : static_cast<double>(most_);
    while (recent_.size() > most_) {
        recent_.pop_front();
    }
}

void RequestRate::too_fast() {
    now_ = std::max(now_ / 2, slowest);
}

void RequestRate::succeeded() {
    now_ = std::min(now_ + step, static_cast<double>(most_));
}

// So many requests may go together.
std::size_t RequestRate::burst() const {
    return std::max<std::size_t>(static_cast<std::size_t>(now_), 1);
}

Monotonic RequestRate::next() const {
    const std::size_t together = burst();
    if (recent_.size() < together) {
        return Monotonic::min();
    }
    const std::chrono::duration<double> period(static_cast<double>(together) / now_);
    return recent_[recent_.size() - together] + std::chrono::ceil<std::chrono::nanoseconds>(period);
}

void RequestRate::went(Monotonic now) {
    recent_.push_back(now);
    if (recent_.size() > most_) {
        recent_.pop_front();
    }
}

}  // namespace mirror::copernica

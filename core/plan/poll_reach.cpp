#include "core/plan/poll_reach.hpp"

namespace mirror::plan {

std::vector<Seconds> PollReach::due(Moment now) const {
    std::vector<Seconds> due;
    for (std::size_t i = steps.size(); i > 0; --i) {
        if (now >= next_[i - 1]) {
            due.push_back(steps[i - 1].reach);
        }
    }
    return due;
}

void PollReach::reached(Seconds reach, Moment now) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (steps[i].reach <= reach) {
            next_[i] = now + steps[i].every;
        }
    }
}

void PollReach::did_not_fit(Seconds reach, Moment now) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (steps[i].reach == reach) {
            next_[i] = now + steps[i].every;
        }
    }
}

}  // namespace mirror::plan

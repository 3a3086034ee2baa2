#include "core/plan/request_budget.hpp"

#include <algorithm>

namespace mirror::plan {
namespace {

// Rechecks are given one request for so many polls.
constexpr std::uint64_t polls_a_recheck = 8;

std::uint64_t requests_left(const BudgetState& state) {
    return state.limit - std::min(state.used, state.limit);
}

constexpr std::int64_t day_seconds = 24 * 3600;

// What polls may take of a day's budget.
constexpr std::int64_t quarters = 3;

Seconds planned_interval(const BudgetState& state) {
    const auto polls =
        std::max<std::int64_t>(static_cast<std::int64_t>(state.limit) * quarters / 4, 1);
    const std::int64_t rounds = std::max<std::int64_t>(polls / state.streams, 1);
    return std::max(
        {state.poll_interval, Seconds((day_seconds + rounds - 1) / rounds), Seconds(1)});
}

std::uint64_t polls_left(const BudgetState& state) {
    const std::int64_t interval = planned_interval(state).count();
    const std::int64_t left = std::max<std::int64_t>(state.left_of_day.count(), 0);
    return state.streams * static_cast<std::uint64_t>((left + interval - 1) / interval);
}

}  // namespace

bool may_begin(Purpose purpose, const BudgetState& state) {
    if (state.limit == 0) {
        return true;
    }
    const std::uint64_t left = requests_left(state);
    const std::uint64_t polls = polls_left(state);
    switch (purpose) {
        case Purpose::tail:
            return left > 0;
        case Purpose::recheck:
            return left > polls + state.at_work;
        case Purpose::past:
            return left > polls + polls / polls_a_recheck + state.at_work;
    }
    return true;
}

Seconds poll_pause(const BudgetState& state) {
    if (state.limit == 0) {
        return state.poll_interval;
    }
    const std::uint64_t left = requests_left(state);
    if (left == 0) {
        return std::max(state.left_of_day, Seconds(1));
    }
    // Requests for a poll of each stream; those that are left at last serve some of them.
    const std::int64_t rounds =
        std::max<std::int64_t>(static_cast<std::int64_t>(left) / state.streams, 1);
    const Seconds evenly((state.left_of_day.count() + rounds - 1) / rounds);
    return std::max(planned_interval(state), evenly);
}

Seconds left_of_day(Instant now) {
    return std::chrono::floor<std::chrono::days>(now) + std::chrono::days(1) - now;
}

std::int64_t granted(std::int64_t wanted, std::int64_t counted, std::uint64_t limit) {
    if (limit > 0 && wanted > 0) {
        return std::clamp<std::int64_t>(static_cast<std::int64_t>(limit) - counted, 0, wanted);
    }
    return std::max(wanted, -counted);
}

}  // namespace mirror::plan

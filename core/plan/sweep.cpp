#include "core/plan/sweep.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace mirror::plan {
namespace {

constexpr Seconds longest_pause = std::chrono::hours(24);
constexpr int least_steps = 10;

// `part` of `whole`, of a width; without the overflow of a product of three large numbers.
Seconds share(Seconds width, Seconds part, Seconds whole) {
    const double ratio = static_cast<double>(part.count()) / static_cast<double>(whole.count());
    return Seconds(static_cast<std::int64_t>(static_cast<double>(width.count()) * ratio));
}

}  // namespace

std::optional<SweepStep> next_sweep(const std::optional<SweepState>& state, const Window& all,
                                    Instant server_now, Seconds period) {
    const SweepState anew{server_now, all.begin, server_now};
    // A clock that was ahead when the state was written would stop it for as long.
    if (!state || state->read_at > server_now + longest_pause) {
        return SweepStep{{}, anew};
    }
    const Instant ends = state->began + period;
    if (state->position >= all.end) {
        return server_now >= ends ? std::optional(SweepStep{{}, anew}) : std::nullopt;
    }
    if (server_now - state->read_at < std::min(longest_pause, period / least_steps)) {
        return std::nullopt;
    }
    SweepStep step;
    step.window.begin = std::max(state->position, all.begin);
    step.window.end = all.end;
    if (server_now < ends) {
        step.window.end =
            step.window.begin +
            share(all.end - step.window.begin, server_now - state->read_at, ends - state->read_at);
    }
    // At the end of the period the rest was read, and it begins again.
    step.after = server_now < ends ? SweepState{state->began, step.window.end, server_now} : anew;
    return step;
}

}  // namespace mirror::plan

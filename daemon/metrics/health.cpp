#include "daemon/metrics/health.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "core/util/duration_text.hpp"
#include "core/util/printable.hpp"

namespace mirror::daemon {
namespace {

constexpr int polls_to_miss = 3;
constexpr std::chrono::minutes patience(5);
constexpr std::size_t longest_reason = 800;

}  // namespace

std::optional<std::string> why_unhealthy(const HealthFacts& facts, Monotonic now,
                                         Seconds poll_interval) {
    if (facts.trouble) {
        return printable(*facts.trouble, longest_reason);
    }
    if (!facts.last_success) {
        return "no successful poll yet";
    }
    const Monotonic::duration since = now - *facts.last_success;
    const Monotonic counted_from = std::max(*facts.last_success, facts.interval_since);
    if (now - counted_from > polls_to_miss * poll_interval + patience) {
        return fmt::format("no successful poll for {}",
                           duration_text(std::chrono::floor<Seconds>(since)));
    }
    return std::nullopt;
}

void Health::following(const sync::Following& state) {
    facts_.trouble = state.trouble;
    if (state.last_success != last_success_) {
        last_success_ = state.last_success;
        facts_.last_success = clock_.monotonic();
    }
}

void Health::set_poll_interval(Seconds poll_interval) {
    if (poll_interval != poll_interval_) {
        poll_interval_ = poll_interval;
        facts_.interval_since = clock_.monotonic();
    }
}

std::optional<std::string> Health::why_not() const {
    return why_unhealthy(facts_, clock_.monotonic(), poll_interval_);
}

}  // namespace mirror::daemon

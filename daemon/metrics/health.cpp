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
    Told& told = told_[state.stream];
    told.facts.trouble = state.trouble;
    if (state.last_success != told.last_success) {
        told.last_success = state.last_success;
        told.facts.last_success = clock_.monotonic();
    }
}

void Health::set_poll_interval(Seconds poll_interval) {
    if (poll_interval != poll_interval_) {
        poll_interval_ = poll_interval;
        interval_since_ = clock_.monotonic();
    }
}

std::optional<std::string> Health::why_not() const {
    if (told_.empty()) {
        return why_unhealthy(HealthFacts{}, clock_.monotonic(), poll_interval_);
    }
    for (const auto& [stream, told] : told_) {
        HealthFacts facts = told.facts;
        facts.interval_since = interval_since_;
        const auto why = why_unhealthy(facts, clock_.monotonic(), poll_interval_);
        if (why) {
            return told_.size() > 1 ? fmt::format("{}: {}", stream->name, *why) : *why;
        }
    }
    return std::nullopt;
}

}  // namespace mirror::daemon

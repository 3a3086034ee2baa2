#include "core/copernica/outage.hpp"

#include <fmt/format.h>

namespace mirror::copernica {
namespace {

std::string for_long(std::chrono::steady_clock::duration elapsed) {
    const auto seconds = std::chrono::round<std::chrono::seconds>(elapsed).count();
    if (seconds < 120) {
        return fmt::format("{} s", seconds);
    }
    if (seconds < 2 * 3600) {
        return fmt::format("{} min", seconds / 60);
    }
    return fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
}

}  // namespace

std::optional<std::string> OutageLog::failed(const std::string& why, Monotonic now) {
    if (failures_ == 0) {
        since_ = now;
    }
    ++failures_;
    if (failures_ < failures_to_start) {
        return std::nullopt;
    }
    const bool starts = !reason_;
    reason_ = why;
    if (starts) {
        last_said_ = now;
        return fmt::format("the API does not answer: {}; trying again with growing pauses", why);
    }
    if (now - last_said_ < reminder_interval) {
        return std::nullopt;
    }
    last_said_ = now;
    return fmt::format("the API has not answered for {}, {} attempts: {}", for_long(now - since_),
                       failures_, why);
}

std::optional<std::string> OutageLog::succeeded(Monotonic now) {
    const bool ends = reason_.has_value();
    const unsigned failures = failures_;
    failures_ = 0;
    reason_.reset();
    if (!ends) {
        return std::nullopt;
    }
    return fmt::format("the API answers again, after {} and {} failed attempts",
                       for_long(now - since_), failures);
}

}  // namespace mirror::copernica

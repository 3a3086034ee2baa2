#include "core/plan/load_estimate.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace mirror::plan {
namespace {

constexpr std::uint64_t full_percent = 93;
constexpr std::uint64_t other_requests = 10;  // whose token, which time, the count at the end
constexpr std::uint64_t row_bytes = 107;
constexpr std::uint64_t index_bytes = 12;

std::string grouped(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t at = text.size(); at > 3; at -= 3) {
        text.insert(at - 3, 1, ',');
    }
    return text;
}

std::string duration_text(Seconds duration) {
    constexpr std::int64_t two_minutes = 120;
    constexpr std::int64_t two_hours = 7200;
    const std::int64_t seconds = duration.count();
    if (seconds < two_minutes) {
        return fmt::format("{} s", seconds);
    }
    if (seconds < two_hours) {
        return fmt::format("{} min", (seconds + 59) / 60);
    }
    return fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
}

}  // namespace

LoadEstimate estimate_load(std::uint64_t rows, const LoadSettings& settings) {
    LoadEstimate estimate;
    estimate.rows = rows;
    const std::uint64_t full =
        std::max<std::uint64_t>(std::uint64_t{settings.page_size} * full_percent, 1);
    // Rounded up, without a product that is too large.
    estimate.requests = rows / full * 100 + (rows % full * 100 + full - 1) / full + other_requests;
    const std::uint64_t rate = std::max(settings.requests_per_second, 1U);
    estimate.at_the_rate =
        Seconds(static_cast<std::int64_t>((estimate.requests + rate - 1) / rate));
    estimate.bytes = rows * (row_bytes + index_bytes * settings.indexes);
    if (settings.requests_per_day > 0) {
        estimate.days =
            (estimate.requests + settings.requests_per_day - 1) / settings.requests_per_day;
    }
    return estimate;
}

std::string text_of(const LoadEstimate& estimate, const LoadSettings& settings) {
    constexpr double megabyte = 1e6;
    std::string text = fmt::format(
        "about {} impressions: {} requests, at least {} at {} a second, {:.0f} MB",
        grouped(estimate.rows), grouped(estimate.requests), duration_text(estimate.at_the_rate),
        settings.requests_per_second, static_cast<double>(estimate.bytes) / megabyte);
    if (estimate.days > 1) {
        text += fmt::format("; a budget of {} requests a day makes that {} days",
                            grouped(settings.requests_per_day), grouped(estimate.days));
    }
    return text;
}

}  // namespace mirror::plan

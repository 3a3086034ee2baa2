#include "core/plan/load_estimate.hpp"

#include <algorithm>

namespace mirror::plan {
namespace {

constexpr std::uint64_t full_percent = 93;
constexpr std::uint64_t other_requests = 10;  // whose token, which time, the count at the end
constexpr std::uint64_t row_bytes = 107;
constexpr std::uint64_t index_bytes = 12;

void add_times(LoadEstimate& estimate, const LoadSettings& settings) {
    const std::uint64_t rate = std::max(settings.requests_per_second, 1U);
    estimate.at_the_rate =
        Seconds(static_cast<std::int64_t>((estimate.requests + rate - 1) / rate));
    if (settings.requests_per_day > 0) {
        estimate.days =
            (estimate.requests + settings.requests_per_day - 1) / settings.requests_per_day;
    }
}

}  // namespace

LoadEstimate estimate_load(std::uint64_t rows, const LoadSettings& settings) {
    LoadEstimate estimate;
    estimate.rows = rows;
    const std::uint64_t full =
        std::max<std::uint64_t>(std::uint64_t{settings.page_size} * full_percent, 1);
    // Rounded up, without a product that is too large.
    estimate.requests = rows / full * 100 + (rows % full * 100 + full - 1) / full + other_requests;
    estimate.bytes = rows * (row_bytes + index_bytes * settings.indexes);
    add_times(estimate, settings);
    return estimate;
}

LoadEstimate sum_of(std::span<const LoadEstimate> loads, const LoadSettings& settings) {
    LoadEstimate sum;
    for (const LoadEstimate& load : loads) {
        sum.rows += load.rows;
        sum.requests += load.requests;
        sum.bytes += load.bytes;
    }
    add_times(sum, settings);
    return sum;
}

}  // namespace mirror::plan

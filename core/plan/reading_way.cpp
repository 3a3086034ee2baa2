#include "core/plan/reading_way.hpp"

#include <algorithm>

namespace mirror::plan {
namespace {

// How much longer a window may take than the best one, for fewer requests.
constexpr double tolerance = 1.5;

// Requests of a window beside its full pages.
constexpr double waste = 1.5;

double cost_of(const ListFacts& facts, const ReadingLimits& limits, double pages) {
    const double mean_offset = static_cast<double>(limits.page_size) * (pages - 1) / 2;
    const double request = facts.request_seconds + facts.skip_seconds * mean_offset;
    return (pages + waste) / pages * std::max(slot_seconds(facts, limits), request);
}

// At that rate, replies keep less than all connections but one at work. Not before they are known.
bool rate_is_waited_for(const ListFacts& facts, const ReadingLimits& limits) {
    return facts.request_seconds > 0 &&
           facts.request_seconds * limits.requests_per_second + 1 <= limits.connections;
}

// A short window is aimed below full pages, since one row too many costs a request.
std::uint64_t rows_of(std::uint32_t pages, const ReadingLimits& limits) {
    const std::uint64_t rows = std::uint64_t{pages} * limits.page_size;
    constexpr std::uint32_t short_window = 4;
    return pages <= short_window ? std::max<std::uint64_t>(rows - rows / 8, 1) : rows;
}

}  // namespace

double slot_seconds(const ListFacts& facts, const ReadingLimits& limits) {
    const double rate = std::max(limits.requests_per_second, 1U);
    return std::max(facts.request_seconds, static_cast<double>(limits.connections) / rate);
}

ReadingWay cheapest_way(const ListFacts& facts, const ReadingLimits& limits) {
    const std::uint32_t most = std::max(limits.most_pages, 1U);
    double best = cost_of(facts, limits, most);
    for (std::uint32_t pages = most; pages > 0; pages /= 2) {
        best = std::min(best, cost_of(facts, limits, pages));
    }
    ReadingWay way;
    way.ends_move = facts.disorder <= most_disorder;
    way.can_wait = rate_is_waited_for(facts, limits);
    for (std::uint32_t pages = most; pages > 0; pages /= 2) {
        if (cost_of(facts, limits, pages) <= best * tolerance) {
            way.rows = rows_of(pages, limits);
            way.waits_for_count = way.can_wait || pages == most;
            break;
        }
    }
    return way;
}

}  // namespace mirror::plan

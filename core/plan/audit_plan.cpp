#include "core/plan/audit_plan.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace mirror::plan {
namespace {

// What a piece costs beside the halving that finds it: its count, and a page or two to read.
constexpr double requests_a_piece = 2;

void join(AuditPlace& place, const AuditPlace& next) {
    place.window.end = std::max(place.window.end, next.window.end);
    place.missing += next.missing;
    place.gone += next.gone;
    place.changed += next.changed;
}

// The gaps that stay gaps are wider than this; and so many that are just as wide.
struct LeastGap {
    Seconds width{};
    std::size_t as_wide = 0;
};

LeastGap least_gap_of(std::vector<Seconds> gaps, std::size_t kept) {
    std::sort(gaps.begin(), gaps.end(), std::greater<>());
    LeastGap least;
    least.width = gaps[kept - 1];
    least.as_wide = static_cast<std::size_t>(
        std::count(gaps.begin(), gaps.begin() + static_cast<std::ptrdiff_t>(kept), least.width));
    return least;
}

bool has_row_of(const copernica::Page& page, LocalTime second) {
    return std::any_of(page.rows.begin(), page.rows.end(),
                       [second](const Row& row) { return row.time == second; });
}

}  // namespace

std::optional<BoundsMeaning> bounds_meaning(const copernica::Page& around,
                                            const copernica::Page& between, LocalTime first,
                                            LocalTime second, LocalTime third) {
    if (!has_row_of(around, first) || !has_row_of(around, third) || !has_row_of(between, second)) {
        return std::nullopt;
    }
    BoundsMeaning meaning;
    meaning.begin_inclusive = has_row_of(between, first);
    meaning.end_inclusive = has_row_of(between, third);
    return meaning;
}

copernica::PageQuery exact_count_query(const Zone& zone, const Window& window,
                                       const BoundsMeaning& bounds) {
    copernica::PageQuery query;
    query.begintime = zone.to_local(window.begin);
    if (!bounds.begin_inclusive) {
        query.begintime = zone.second_before(query.begintime);
    }
    query.endtime = zone.to_local(bounds.end_inclusive ? window.end - Seconds(1) : window.end);
    query.limit = 1;
    query.total = true;
    return query;
}

bool is_plain(const Zone& zone, Instant at) {
    return !zone.touches_repeated_hour({at - Seconds(1), at + Seconds(1)}) &&
           zone.to_local(at) - zone.to_local(at - Seconds(1)) == Seconds(1);
}

bool worth_halving(std::uint64_t api, std::uint64_t file, std::uint32_t page_size) {
    const std::uint64_t most = std::max(api, file);
    const std::uint64_t difference = most - std::min(api, file);
    if (most <= page_size || difference == 0) {
        return false;
    }
    const double pages = std::ceil(static_cast<double>(most) / page_size);
    const double places = std::min(static_cast<double>(difference), pages);
    return places * (requests_a_piece + std::log2(pages / places)) < pages;
}

std::vector<AuditPlace> join_places(const std::vector<AuditPlace>& places, std::size_t most) {
    if (places.size() <= most || most == 0) {
        return places;
    }
    std::vector<Seconds> gaps;
    for (std::size_t i = 1; i < places.size(); ++i) {
        gaps.push_back(places[i].window.begin - places[i - 1].window.end);
    }
    std::vector<AuditPlace> joined{places.front()};
    const std::size_t kept = most - 1;
    LeastGap least = kept == 0 ? LeastGap{Seconds::max(), 0} : least_gap_of(gaps, kept);
    for (std::size_t i = 1; i < places.size(); ++i) {
        const Seconds gap = gaps[i - 1];
        const bool stays = gap > least.width || (gap == least.width && least.as_wide > 0);
        if (!stays) {
            join(joined.back(), places[i]);
            continue;
        }
        if (gap == least.width) {
            --least.as_wide;
        }
        joined.push_back(places[i]);
    }
    return joined;
}

}  // namespace mirror::plan

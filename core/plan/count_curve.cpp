#include "core/plan/count_curve.hpp"

#include <algorithm>
#include <iterator>

#include "core/plan/width.hpp"

namespace mirror::plan {

double CountCurve::rate(const Point& from, const Point& to) {
    const auto seconds = std::max<std::int64_t>((to.end - from.end).count(), 1);
    return static_cast<double>(to.records - std::min(from.records, to.records)) /
           static_cast<double>(seconds);
}

// At least a second later.
Instant CountCurve::later(const Point& point, std::uint64_t records, double rate) {
    const double seconds = static_cast<double>(records - point.records) / rate;
    return point.end + Seconds(std::max<std::int64_t>(static_cast<std::int64_t>(seconds), 1));
}

void CountCurve::counted(const Window& window, std::uint64_t records) {
    if (window.begin < begin_ || window.empty()) {
        return;
    }
    const Instant known_end = counts_.empty() ? begin_ : counts_.rbegin()->first;
    if (window.begin > known_end) {
        begin_ = window.begin;
        counts_.clear();
    }
    const std::uint64_t all = records_up_to(window.begin) + records;
    std::erase_if(counts_, [&](const auto& count) {
        return count.first < window.end ? count.second > all : count.second < all;
    });
    counts_[window.end] = all;
    begin_from(window.begin);
}

// What lies before the last count up to here is not asked for any more.
void CountCurve::begin_from(Instant at) {
    const auto next = counts_.upper_bound(at);
    if (next == counts_.begin()) {
        return;
    }
    const auto last = std::prev(next);
    const std::uint64_t before = last->second;
    begin_ = last->first;
    counts_.erase(counts_.begin(), next);
    for (auto& [end, records] : counts_) {
        records -= before;
    }
}

std::uint64_t CountCurve::records_up_to(Instant at) const {
    Point before{begin_, 0};
    for (const auto& [end, counted] : counts_) {
        const Point here{end, counted};
        if (end >= at) {
            const auto seconds = static_cast<double>((at - before.end).count());
            return before.records + static_cast<std::uint64_t>(rate(before, here) * seconds);
        }
        before = here;
    }
    return before.records;
}

std::optional<Instant> CountCurve::end_of(Instant begin, std::uint64_t records) const {
    if (begin < begin_) {
        return std::nullopt;
    }
    Point before{begin, records_up_to(begin)};
    const std::uint64_t wanted = before.records + records;
    for (auto count = counts_.upper_bound(begin); count != counts_.end(); ++count) {
        const Point here{count->first, count->second};
        if (here.records >= wanted) {
            return later(before, wanted, rate(before, here));
        }
        before = here;
    }
    return std::nullopt;
}

Instant CountCurve::end_for(std::uint64_t records, std::uint64_t known, Instant latest) const {
    Point before{latest, known};
    Point start{begin_, 0};  // of the stretch that ends with `before`
    for (auto count = counts_.upper_bound(latest); count != counts_.end(); ++count) {
        const Point here{count->first, count->second};
        if (here.records < known) {
            continue;
        }
        if (here.records >= records) {
            return later(before, records, rate(before, here));
        }
        start = before;
        before = here;
    }
    const double expected = std::max(rate({begin_, 0}, before), rate(start, before));
    const Seconds most = (before.end - begin_) * WidthPlanner::most_growth;
    if (expected * static_cast<double>(most.count()) <= static_cast<double>(records)) {
        return begin_ + most;
    }
    return later(before, records, expected);
}

}  // namespace mirror::plan

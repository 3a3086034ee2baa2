#include "core/plan/width.hpp"

#include <algorithm>

namespace mirror::plan {
namespace {

// Windows at the limit that must succeed before a wider one is tried again. A period that the
// server always refuses is asked for no oftener than once in so many windows.
constexpr int patience = 16;

// A window of which less than one in so many of the wanted rows is expected holds little.
constexpr double few = 4;

// The first window of a long period is so small a part of it: rows enough in a large account to
// learn from, and not too many.
constexpr int first_part = 1000;

constexpr Seconds widest{std::int64_t{200} * 365 * 24 * 3600};

}  // namespace

WidthPlanner::WidthPlanner(std::uint64_t rows_wanted) : rows_wanted_(rows_wanted) {}

void WidthPlanner::want(std::uint64_t rows) {
    if (rows == rows_wanted_) {
        return;
    }
    // Widening is left to observe(), which knows of emptiness.
    if (observed_ && rows < rows_wanted_) {
        const double part = static_cast<double>(rows) / static_cast<double>(rows_wanted_);
        const double width = static_cast<double>(width_.count()) * part;
        width_ = std::max(Seconds(static_cast<std::int64_t>(width)), Seconds(1));
    }
    rows_wanted_ = rows;
}

void WidthPlanner::expect_page(Seconds width) {
    if (!observed_) {
        width_ = std::max(width - width / 4, Seconds(1));
        expects_page_ = true;
        growing_ = false;
    }
}

std::optional<Seconds> WidthPlanner::page_width(std::uint32_t page_size) const {
    if (!observed_) {
        return std::nullopt;
    }
    if (growing_) {
        return width_;  // it holds little, as far as is known
    }
    const double pages = static_cast<double>(rows_wanted_) / static_cast<double>(page_size);
    return Seconds(static_cast<std::int64_t>(static_cast<double>(width_.count()) / pages));
}

void WidthPlanner::expect_period(Seconds width) {
    if (!observed_ && !expects_page_) {
        width_ = std::max(first_width, width / first_part);
    }
}

Seconds WidthPlanner::next() const {
    return limit_ ? std::min(width_, *limit_) : width_;
}

void WidthPlanner::observe(Seconds width, std::uint64_t rows) {
    observed_ = true;
    const std::int64_t seconds = std::max<std::int64_t>(width.count(), 1);
    const std::int64_t most = std::min(seconds * most_growth, widest.count());
    // After a narrow window with few rows, the width is not reduced: it may be a remnant, or one of
    // several windows that were requested before the first reply.
    std::int64_t wanted = std::max(most, width_.count());
    const double rows_per_second = static_cast<double>(rows) / static_cast<double>(seconds);
    const double exact = static_cast<double>(rows_wanted_) / rows_per_second;  // may be infinite
    bool says_something = most > width_.count();
    if (exact < static_cast<double>(wanted)) {
        wanted = static_cast<std::int64_t>(exact);
        says_something = true;
    }
    width_ = Seconds(std::max<std::int64_t>(wanted, 1));
    if (says_something) {
        const double expected = rows_per_second * static_cast<double>(width_.count());
        growing_ = expected * few < static_cast<double>(rows_wanted_);
    }
}

void WidthPlanner::served(Seconds width) {
    if (limit_ && width >= *limit_ && ++served_at_limit_ >= patience) {
        *limit_ = std::min(*limit_ * 2, widest);
        served_at_limit_ = 0;
    }
}

void WidthPlanner::refuse(Seconds width) {
    limit_ = std::max(width / 2, Seconds(1));
    served_at_limit_ = 0;
}

void WidthPlanner::restore(std::optional<Seconds> limit) {
    limit_ = limit;
    served_at_limit_ = 0;
}

}  // namespace mirror::plan

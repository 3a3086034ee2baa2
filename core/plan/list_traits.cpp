#include "core/plan/list_traits.hpp"

#include <algorithm>
#include <cmath>

namespace mirror::plan {
namespace {

// Rows and requests that are remembered, before the older ones count half.
constexpr double most_rows = 100'000;
constexpr double most_requests = 64;

// Offsets that are not larger say nothing of what an offset costs.
constexpr std::uint64_t least_offset = 500;

// Requests with an offset before their cost is believed, and by how many standard errors it has to
// stand out: replies take longer or shorter for many reasons.
constexpr double least_skips = 8;
constexpr double errors_to_stand_out = 4;

// Rows that are earlier than one before them, and those that are later.
struct Steps {
    std::size_t earlier = 0;
    std::size_t later = 0;
    bool one_second = true;
};

Steps steps_of(std::span<const Row> rows) {
    Steps steps;
    LocalTime latest = rows.front().time;
    LocalTime earliest = latest;
    for (const Row& row : rows) {
        steps.earlier += row.time < latest ? 1 : 0;
        steps.later += row.time > earliest ? 1 : 0;
        latest = std::max(latest, row.time);
        earliest = std::min(earliest, row.time);
    }
    steps.one_second = earliest == latest;
    return steps;
}

}  // namespace

void ListTraits::observe_rows(std::span<const Row> rows) {
    if (rows.size() < 2) {
        return;
    }
    const Steps steps = steps_of(rows);
    if (steps.one_second) {
        return;
    }
    if (rows_ > most_rows) {
        rows_ /= 2;
        out_of_order_ /= 2;
    }
    rows_ += static_cast<double>(rows.size());
    // A list runs in one direction or the other.
    out_of_order_ += static_cast<double>(std::min(steps.earlier, steps.later));
}

void ListTraits::observe_request(std::uint64_t start, std::chrono::nanoseconds took) {
    const double seconds = std::chrono::duration<double>(took).count();
    if (start == 0) {
        if (plain_ > most_requests) {
            plain_ /= 2;
            plain_seconds_ /= 2;
        }
        plain_ += 1;
        plain_seconds_ += seconds;
        return;
    }
    if (start < least_offset || plain_ == 0) {
        return;
    }
    if (skips_ > most_requests) {
        skips_ /= 2;
        skip_seconds_ /= 2;
        skip_squares_ /= 2;
    }
    const double each = (seconds - plain_seconds_ / plain_) / static_cast<double>(start);
    skips_ += 1;
    skip_seconds_ += each;
    skip_squares_ += each * each;
}

ListFacts ListTraits::facts() const {
    ListFacts facts;
    facts.disorder = rows_ > 0 ? out_of_order_ / rows_ : 0;
    facts.request_seconds = plain_ > 0 ? plain_seconds_ / plain_ : 0;
    if (skips_ >= least_skips) {
        const double mean = skip_seconds_ / skips_;
        const double variance = std::max(skip_squares_ / skips_ - mean * mean, 0.0);
        const double error = std::sqrt(variance / skips_);
        facts.skip_seconds = mean > errors_to_stand_out * error ? mean : 0;
    }
    return facts;
}

}  // namespace mirror::plan

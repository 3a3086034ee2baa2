#include "core/time/local_months.hpp"

#include <algorithm>

namespace mirror {
namespace {

struct Stretch {
    LocalPeriod period;
    Seconds offset;  // local time less UTC
};

Seconds offset_at(const Zone& zone, Instant at) {
    return zone.to_local(at).time_since_epoch() - at.time_since_epoch();
}

// Between two changes. Around each, local time that occurs twice, or never, is left out.
std::vector<Stretch> unambiguous(const Zone& zone, const LocalPeriod& period) {
    constexpr std::chrono::days reach(2);  // more than any zone is away from UTC
    const Instant end(period.end.time_since_epoch() + reach);
    Instant at(period.begin.time_since_epoch() - reach);
    std::vector<Stretch> stretches;
    LocalTime begin = period.begin;
    for (;;) {
        const Seconds before = offset_at(zone, at);
        const auto change = zone.next_change(at);
        if (!change || *change >= end) {
            stretches.push_back({{begin, period.end}, before});
            return stretches;
        }
        const LocalTime ends(change->time_since_epoch() + before);
        const LocalTime resumes = zone.to_local(*change);
        stretches.push_back({{begin, std::min({ends, resumes, period.end})}, before});
        begin = std::max({begin, ends, resumes});
        at = *change;
    }
}

}  // namespace

std::vector<LocalMonth> local_months(const Zone& zone, std::chrono::year first,
                                     std::chrono::year last) {
    using std::chrono::local_days;
    const LocalPeriod all{local_days(first / 1 / 1),
                          local_days((last + std::chrono::years(1)) / 1 / 1)};
    std::vector<LocalMonth> months;
    for (const Stretch& stretch : unambiguous(zone, all)) {
        LocalTime begin = stretch.period.begin;
        while (begin < stretch.period.end) {
            const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(begin));
            const auto month = day.year() / day.month();
            const LocalTime next = local_days((month + std::chrono::months(1)) / 1);
            const LocalTime zero = local_days(month / 1) - std::chrono::days(1);
            const LocalTime end = std::min(next, stretch.period.end);
            months.push_back({{begin, end}, Instant(zero.time_since_epoch() - stretch.offset)});
            begin = end;
        }
    }
    return months;
}

}  // namespace mirror

#include "daemon/status/request_counts.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/time/text.hpp"
#include "daemon/cli/terminal_text.hpp"

namespace mirror::daemon {
namespace {

constexpr int days_looked_at = 7;

std::uint64_t of_day(const std::map<std::string, std::uint64_t>& days, std::chrono::sys_days day) {
    const auto found = days.find(format_day(Instant(day)));
    return found == days.end() ? 0 : found->second;
}

std::chrono::sys_days first_day_known(const std::map<std::string, std::uint64_t>& days,
                                      std::chrono::sys_days today) {
    std::chrono::sys_days first = today;
    for (int back = 1; back <= days_looked_at; ++back) {
        if (of_day(days, today - std::chrono::days(back)) > 0) {
            first = today - std::chrono::days(back);
        }
    }
    return first;
}

// Of a whole day: the mean of the last days since the first of them that is known, or today's so
// far and the rest of it like that.
double usual_day(const std::map<std::string, std::uint64_t>& days, Instant now) {
    const auto today = std::chrono::floor<std::chrono::days>(now);
    const std::chrono::sys_days first = first_day_known(days, today);
    if (first == today) {
        const auto elapsed = std::max<std::int64_t>((now - Instant(today)).count(), 3600);
        return static_cast<double>(of_day(days, today)) * 86'400 / static_cast<double>(elapsed);
    }
    std::uint64_t sum = 0;
    for (std::chrono::sys_days day = first; day < today; day += std::chrono::days(1)) {
        sum += of_day(days, day);
    }
    return static_cast<double>(sum) / static_cast<double>((today - first).count());
}

}  // namespace

RequestCounts count_requests(const std::map<std::string, std::uint64_t>& days, Instant now,
                             std::optional<std::uint64_t> per_day) {
    const auto today = std::chrono::floor<std::chrono::days>(now);
    const std::chrono::year_month_day calendar(today);
    const std::chrono::sys_days first(calendar.year() / calendar.month() / 1);
    const std::chrono::sys_days last(calendar.year() / calendar.month() / std::chrono::last);
    RequestCounts counts;
    counts.per_day = per_day;
    counts.today = of_day(days, today);
    for (std::chrono::sys_days day = first; day <= today; day += std::chrono::days(1)) {
        counts.month += of_day(days, day);
    }
    const double usual = usual_day(days, now);
    const double rest_of_today = std::max(usual - static_cast<double>(counts.today), 0.0);
    const double to_come = rest_of_today + usual * static_cast<double>((last - today).count());
    counts.expected_month = counts.month + static_cast<std::uint64_t>(to_come + 0.5);
    return counts;
}

std::string requests_text(const RequestCounts& counts) {
    std::string text = grouped(counts.today) + " today";
    if (counts.per_day) {
        text += " of " + grouped(*counts.per_day);
        if (counts.today >= *counts.per_day) {
            text += " (used up until 00:00 UTC)";
        }
    }
    return text + fmt::format(", {} this month, about {} in all of it", grouped(counts.month),
                              grouped(counts.expected_month));
}

}  // namespace mirror::daemon

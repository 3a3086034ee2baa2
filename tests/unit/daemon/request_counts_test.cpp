#include "daemon/status/request_counts.hpp"

#include <doctest/doctest.h>

using namespace mirror;
using namespace mirror::daemon;
using namespace std::chrono_literals;

namespace {

const Instant noon = std::chrono::sys_days{std::chrono::year(2026) / 11 / 10} + 12h;

}  // namespace

TEST_CASE("requests: today, this month, and what the month comes to") {
    std::map<std::string, std::uint64_t> days{{"2026-10-31", 5000}, {"2026-11-01", 1440},
                                              {"2026-11-03", 9000}, {"2026-11-08", 1000},
                                              {"2026-11-09", 1000}, {"2026-11-10", 700}};
    const RequestCounts counts = count_requests(days, noon, std::nullopt);
    CHECK(counts.today == 700);
    CHECK(counts.month == 1440 + 9000 + 2000 + 700);
    // Seven days with 11,000 in all, and twenty to come after today.
    CHECK(counts.expected_month == counts.month + 871 + 31'429);
    CHECK(requests_text(counts) == "700 today, 13,140 this month, about 45,440 in all of it");
}

TEST_CASE("requests: a file's first day") {
    const RequestCounts nothing = count_requests({}, noon, std::nullopt);
    CHECK(nothing.expected_month == 0);
    const RequestCounts first = count_requests({{"2026-11-10", 720}}, noon, std::nullopt);
    CHECK(first.expected_month == 720 + 720 + 20 * 1440);
    // Not a day's worth from its first minute.
    const Instant early = std::chrono::sys_days{std::chrono::year(2026) / 11 / 10} + 60s;
    CHECK(count_requests({{"2026-11-10", 10}}, early, std::nullopt).expected_month <= 21 * 240);
    // The last day of a month.
    const Instant last = std::chrono::sys_days{std::chrono::year(2026) / 11 / 30} + 23h;
    CHECK(count_requests({{"2026-11-29", 100}, {"2026-11-30", 150}}, last, std::nullopt)
              .expected_month == 250);
}

TEST_CASE("requests: the budget is told") {
    CHECK(requests_text(count_requests({{"2026-11-10", 1999}}, noon, 2000))
              .starts_with("1,999 today of 2,000, "));
    CHECK(requests_text(count_requests({{"2026-11-10", 2000}}, noon, 2000))
              .starts_with("2,000 today of 2,000 (used up until 00:00 UTC), "));
}

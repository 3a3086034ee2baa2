#include "daemon/commands/period.hpp"

#include <string>

#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "daemon/process/usage_error.hpp"
#include "tests/support/times.hpp"

using namespace mirror;
using namespace mirror::daemon;

namespace {

// From and to, or why not.
std::string period(const std::string& from, const std::string& to,
                   const char* now = "2026-11-23 16:00:00") {
    CommandLine line;
    line.from = parse_point_in_time(from);
    line.to = parse_point_in_time(to);
    try {
        const RequestedPeriod period =
            requested_period(line, tests::utc(now), Zone("Europe/Amsterdam"));
        return format_local(*period.from) + " to " + format_local(*period.to);
    } catch (const UsageError& error) {
        return error.what();
    }
}

}  // namespace

TEST_CASE("period: what --from and --to name") {
    CHECK(period("2026-01-01", "2026-02-01") == "2026-01-01 00:00:00 to 2026-02-01 00:00:00");
    CHECK(period("2026-01-01T10:00:00Z", "yesterday") ==
          "2026-01-01 11:00:00 to 2026-11-22 00:00:00");
    CHECK(period("2027-01-01", "2027-02-01")
              .starts_with("--from 2027-01-01 00:00:00 is in the future"));
    CHECK(period("2026-02-01", "2026-02-01")
              .starts_with("--from 2026-02-01 00:00:00 must be before"));
}

TEST_CASE("period: the hour that does not exist in spring") {
    CHECK(period("2025-03-30T02:30", "2025-03-30T02:45") ==
          "--from 2025-03-30 02:30:00 to --to 2025-03-30 02:45:00: no such time exists in "
          "Europe/Amsterdam, because clocks went forward then");
    // What begins or ends in it has a rest.
    CHECK(period("2025-03-30T02:30", "2025-03-30T03:00:01").find("to 2025-03-30 03:00:01") !=
          std::string::npos);
    CHECK(period("2025-03-30T01:59:59", "2025-03-30T02:45").find("2025-03-30 01:59:59 to") !=
          std::string::npos);
    // And the one that comes twice in autumn exists.
    CHECK(period("2025-10-26T02:30", "2025-10-26T02:31").find("2025-10-26 02:30:00 to") !=
          std::string::npos);
}

TEST_CASE("period: moments in the hour that clocks show twice") {
    // 00:40 and 01:10 UTC are 02:40 and 02:10 in Amsterdam, in this order.
    CHECK(period("2026-10-25T00:40:00Z", "2026-10-25T01:10:00Z") ==
          "2026-10-25 02:40:00 to 2026-10-25 02:10:00");
    CHECK(period("2026-10-25T01:10:00Z", "2026-10-25T00:40:00Z").find("must be before") !=
          std::string::npos);
    // At the second 02:10, half an hour ago was the first 02:40.
    CHECK(period("30m", "today", "2026-10-25 01:10:00").find("must be before") !=
          std::string::npos);
    CHECK(period("30m", "2026-10-26", "2026-10-25 01:10:00") ==
          "2026-10-25 02:40:00 to 2026-10-26 00:00:00");
    CHECK(period("2026-10-25T01:11:00Z", "2026-10-26", "2026-10-25 01:10:00")
              .find("is in the future") != std::string::npos);
}

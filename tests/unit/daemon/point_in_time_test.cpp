#include "daemon/cli/point_in_time.hpp"

#include <string>

#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "daemon/commands/period.hpp"
#include "daemon/process/usage_error.hpp"
#include "tests/support/times.hpp"

using namespace mirror;
using namespace mirror::daemon;
using mirror::tests::utc;

namespace {

const Zone& amsterdam() {
    static const Zone zone("Europe/Amsterdam");
    return zone;
}

// In summer: 00:30 of 1 July in Amsterdam.
const Instant now = utc("2026-06-30 22:30:00");

std::string local(const std::string& text) {
    const auto point = parse_point_in_time(text);
    return point ? format_local(local_time_of(*point, now, amsterdam())) : "not a time";
}

CommandLine line(const char* from, const char* to) {
    CommandLine line;
    line.from = parse_point_in_time(from);
    if (to != nullptr) {
        line.to = parse_point_in_time(to);
    }
    return line;
}

}  // namespace

TEST_CASE("a point in time, as people write it") {
    struct Row {
        const char* text;
        const char* local;
    };
    const Row rows[] = {
        {"2016-01-02", "2016-01-02 00:00:00"},
        {"2016-01-02 03:04", "2016-01-02 03:04:00"},
        {"2016-01-02 03:04:05", "2016-01-02 03:04:05"},
        {"2016-01-02T03:04:05", "2016-01-02 03:04:05"},
        {"2016-01-02T03:04", "2016-01-02 03:04:00"},
        {"2016-01-02T03:04:05Z", "2016-01-02 04:04:05"},
        {"2016-01-02T03:04Z", "2016-01-02 04:04:00"},
        {"2016-01-02T03:04:05+02:00", "2016-01-02 02:04:05"},
        {"2016-01-02T03:04:05-0530", "2016-01-02 09:34:05"},
        {"2016-01-02 03:04:05+01", "2016-01-02 03:04:05"},
        {"today", "2026-07-01 00:00:00"},
        {"yesterday", "2026-06-30 00:00:00"},
        {"7d", "2026-06-24 00:30:00"},
        {"90m", "2026-06-30 23:00:00"},
        {"0s", "2026-07-01 00:30:00"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        CHECK(local(row.text) == row.local);
    }
    for (const char* text :
         {"", "tomorrow", "now", "2016", "2016-13-01", "2016-02-30", "2016-01-02 25:00:00",
          "2016-01-02T", "2016-01-02Z", "2016-01-02T03:04:05+", "2016-01-02T03:04:05+1",
          "2016-01-02T03:04:05+15:00", "2016-01-02T03:04:05+02:60", "2016-01-02T03:04:05ZZ",
          "2016-01-02 03:04:05 +02:00", "7", "-7d", "02-01-2016", "2016/01/02"}) {
        CAPTURE(text);
        CHECK(local(text) == "not a time");
    }
}

TEST_CASE("a time that clocks never showed, or showed twice, is told") {
    const auto note = [](const char* text, bool begins) {
        return clock_change_note("--from", parse_local(text).value(), begins, amsterdam())
            .value_or("");
    };
    CHECK(note("2026-03-29 01:59:59", true) == "");
    CHECK(note("2026-03-29 03:00:00", true) == "");
    CHECK(
        note("2026-03-29 02:30:00", true) ==
        "--from 2026-03-29 02:30:00 does not exist in Europe/Amsterdam: clocks went forward then, "
        "so 2026-03-29 03:00:00 is meant");
    CHECK(note("2026-10-25 02:30:00", true).find("occurs twice") != std::string::npos);
    CHECK(note("2026-10-25 02:30:00", true).find("begins at 2026-10-25 02:00:00") !=
          std::string::npos);
    CHECK(note("2026-10-25 02:30:00", false).find("ends at 2026-10-25 03:00:00") !=
          std::string::npos);
    CHECK(note("2026-10-25 03:00:00", true) == "");
}

TEST_CASE("a period that is empty or in the future is a mistake") {
    CHECK_THROWS_WITH_AS(requested_period(line("2030-06-01", nullptr), now, amsterdam()),
                         doctest::Contains("--from 2030-06-01 00:00:00 is in the future"),
                         UsageError);
    CHECK_THROWS_WITH_AS(requested_period(line("2016-01-03", "2016-01-02"), now, amsterdam()),
                         doctest::Contains("must be before --to 2016-01-02"), UsageError);
    CHECK_THROWS_AS(requested_period(line("2016-01-02", "2016-01-02"), now, amsterdam()),
                    UsageError);
    CHECK_THROWS_AS(requested_period(line("1d", "2d"), now, amsterdam()), UsageError);
    const RequestedPeriod period =
        requested_period(line("2026-03-29 02:30:00", "2030-01-01"), now, amsterdam());
    CHECK(format_local(period.to.value()) == "2030-01-01 00:00:00");
    CHECK(period.notes.size() == 1);
    CHECK_FALSE(requested_period(CommandLine{}, now, amsterdam()).from);
}

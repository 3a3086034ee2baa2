#include "core/time/zone.hpp"

#include <string>

#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "tests/support/times.hpp"

using namespace mirror;
using mirror::tests::local;
using mirror::tests::utc;

namespace {

// "YYYY-MM-DD HH:MM:SS", read as UTC.
Window window(const char* begin, const char* end) {
    return {utc(begin), utc(end)};
}

const Zone& amsterdam() {
    static const Zone zone("Europe/Amsterdam");
    return zone;
}

}  // namespace

TEST_CASE("an unknown zone is named") {
    CHECK_THROWS_WITH_AS(Zone("Europe/Nowhere"), doctest::Contains("Europe/Nowhere"), UnknownZone);
}

TEST_CASE("spans of windows in Amsterdam") {
    struct Row {
        const char *begin, *end, *span_begin, *span_end;
    };
    const Row rows[] = {
        // Winter and summer.
        {"2026-01-10 12:00:00", "2026-01-10 13:00:00", "2026-01-10 13:00:00",
         "2026-01-10 14:00:00"},
        {"2026-07-10 12:00:00", "2026-07-10 12:00:01", "2026-07-10 14:00:00",
         "2026-07-10 14:00:01"},
        // The autumn night: first pass, second pass, over the change, the whole stretch.
        {"2026-10-25 00:30:00", "2026-10-25 00:45:00", "2026-10-25 02:30:00",
         "2026-10-25 02:45:00"},
        {"2026-10-25 01:30:00", "2026-10-25 01:45:00", "2026-10-25 02:30:00",
         "2026-10-25 02:45:00"},
        {"2026-10-25 00:50:00", "2026-10-25 01:10:00", "2026-10-25 02:00:00",
         "2026-10-25 03:00:00"},
        {"2026-10-25 00:30:00", "2026-10-25 01:00:00", "2026-10-25 02:30:00",
         "2026-10-25 03:00:00"},
        {"2026-10-24 23:50:00", "2026-10-25 00:10:00", "2026-10-25 01:50:00",
         "2026-10-25 02:10:00"},
        {"2026-10-25 00:00:00", "2026-10-25 02:00:00", "2026-10-25 02:00:00",
         "2026-10-25 03:00:00"},
        {"2026-10-25 01:00:00", "2026-10-25 02:00:00", "2026-10-25 02:00:00",
         "2026-10-25 03:00:00"},
        // The spring night: up to the gap, from it, over it.
        {"2026-03-29 00:30:00", "2026-03-29 00:59:59", "2026-03-29 01:30:00",
         "2026-03-29 01:59:59"},
        {"2026-03-29 00:30:00", "2026-03-29 01:00:00", "2026-03-29 01:30:00",
         "2026-03-29 03:00:00"},
        {"2026-03-29 01:00:00", "2026-03-29 01:30:00", "2026-03-29 03:00:00",
         "2026-03-29 03:30:00"},
        {"2026-03-29 00:30:00", "2026-03-29 01:30:00", "2026-03-29 01:30:00",
         "2026-03-29 03:30:00"},
        // Years.
        {"2000-01-01 00:00:00", "2026-01-01 00:00:00", "2000-01-01 01:00:00",
         "2026-01-01 01:00:00"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.begin);
        CAPTURE(row.end);
        const LocalPeriod span = amsterdam().span(window(row.begin, row.end));
        CHECK(format_local(span.begin) == row.span_begin);
        CHECK(format_local(span.end) == row.span_end);
    }
}

TEST_CASE("a span holds every second of its window, and no bound is a second that never was") {
    // Through both nights of 2026, windows of odd widths.
    for (const char* start : {"2026-03-28 22:00:00", "2026-10-24 21:00:00"}) {
        for (int offset = 0; offset < 6 * 3600; offset += 397) {
            for (int width : {1, 61, 1800, 3600, 3601, 7200, 9000}) {
                const Instant begin = utc(start) + Seconds(offset);
                const Window asked{begin, begin + Seconds(width)};
                const LocalPeriod span = amsterdam().span(asked);
                bool holds = true;
                for (Instant at = asked.begin; at < asked.end; at += Seconds(1)) {
                    const LocalTime shown = amsterdam().to_local(at);
                    holds = holds && span.begin <= shown && shown < span.end;
                }
                REQUIRE(holds);
                const LocalTime before = amsterdam().second_before(span.begin);
                REQUIRE(amsterdam().to_local(amsterdam().earliest(before)) == before);
                REQUIRE(amsterdam().to_local(amsterdam().earliest(span.end)) == span.end);
            }
        }
    }
}

TEST_CASE("the second before the end of the spring gap is the last one that existed") {
    CHECK(amsterdam().second_before(local("2026-03-29 03:00:00")) == local("2026-03-29 01:59:59"));
    CHECK(amsterdam().second_before(local("2026-03-29 03:00:01")) == local("2026-03-29 03:00:00"));
    CHECK(amsterdam().second_after(local("2026-03-29 01:59:59")) == local("2026-03-29 03:00:00"));
    CHECK(amsterdam().second_after(local("2026-03-29 03:00:00")) == local("2026-03-29 03:00:01"));
    CHECK(amsterdam().second_before(local("2026-10-25 02:00:00")) == local("2026-10-25 01:59:59"));
}

TEST_CASE("local seconds that occur twice, once and never") {
    CHECK(amsterdam().earliest(local("2026-10-25 02:30:00")) == utc("2026-10-25 00:30:00"));
    CHECK(amsterdam().latest(local("2026-10-25 02:30:00")) == utc("2026-10-25 01:30:00"));
    CHECK(amsterdam().earliest(local("2026-10-25 03:00:00")) == utc("2026-10-25 02:00:00"));
    CHECK(amsterdam().latest(local("2026-10-25 01:59:59")) == utc("2026-10-24 23:59:59"));
    CHECK(amsterdam().earliest(local("2026-03-29 02:30:00")) == utc("2026-03-29 01:00:00"));
    CHECK(amsterdam().latest(local("2026-03-29 02:30:00")) == utc("2026-03-29 01:00:00"));
}

TEST_CASE("windows are not cut inside the hour that occurs twice") {
    struct Row {
        const char *at, *down, *up;
    };
    const Row rows[] = {
        {"2026-10-24 23:59:59", "2026-10-24 23:59:59", "2026-10-24 23:59:59"},
        {"2026-10-25 00:00:00", "2026-10-25 00:00:00", "2026-10-25 00:00:00"},
        {"2026-10-25 00:00:01", "2026-10-25 00:00:00", "2026-10-25 02:00:00"},
        {"2026-10-25 01:00:00", "2026-10-25 00:00:00", "2026-10-25 02:00:00"},
        {"2026-10-25 01:59:59", "2026-10-25 00:00:00", "2026-10-25 02:00:00"},
        {"2026-10-25 02:00:00", "2026-10-25 02:00:00", "2026-10-25 02:00:00"},
        {"2026-03-29 01:00:00", "2026-03-29 01:00:00", "2026-03-29 01:00:00"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.at);
        CHECK(amsterdam().align_down(utc(row.at)) == utc(row.down));
        CHECK(amsterdam().align_up(utc(row.at)) == utc(row.up));
    }
}

TEST_CASE("which windows touch the hour that occurs twice") {
    const auto touches = [](const char* begin, const char* end) {
        return amsterdam().touches_repeated_hour(window(begin, end));
    };
    CHECK_FALSE(touches("2026-10-24 22:00:00", "2026-10-25 00:00:00"));
    CHECK(touches("2026-10-24 22:00:00", "2026-10-25 00:00:01"));
    CHECK(touches("2026-10-25 00:00:00", "2026-10-25 00:00:01"));
    CHECK(touches("2026-10-25 01:59:59", "2026-10-25 03:00:00"));
    CHECK_FALSE(touches("2026-10-25 02:00:00", "2026-10-25 03:00:00"));
    CHECK(touches("2020-01-01 00:00:00", "2026-01-01 00:00:00"));
    CHECK_FALSE(touches("2026-03-29 00:00:00", "2026-03-29 03:00:00"));
}

TEST_CASE("a zone without changes, and one with half an hour") {
    const Zone utc_zone("UTC");
    CHECK(utc_zone.align_down(utc("2026-10-25 00:30:00")) == utc("2026-10-25 00:30:00"));
    CHECK_FALSE(
        utc_zone.touches_repeated_hour(window("2000-01-01 00:00:00", "2030-01-01 00:00:00")));
    const Zone lord_howe("Australia/Lord_Howe");
    // On 2026-04-05 at 02:00 (+11) clocks go back to 01:30 (+10:30).
    CHECK(lord_howe.align_down(utc("2026-04-04 15:10:00")) == utc("2026-04-04 14:30:00"));
    CHECK(lord_howe.align_up(utc("2026-04-04 14:31:00")) == utc("2026-04-04 15:30:00"));
}

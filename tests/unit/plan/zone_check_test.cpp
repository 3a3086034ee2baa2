#include "core/plan/zone_check.hpp"

#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "tests/support/times.hpp"

using namespace mirror;
using mirror::tests::utc;

namespace {

copernica::Page page_with(LocalTime newest) {
    copernica::Page page;
    page.rows.emplace_back();
    page.rows.back().time = newest;
    return page;
}

}  // namespace

TEST_CASE("zone check: the question is a day from now on, in the account's time") {
    const copernica::PageQuery query =
        plan::rows_ahead_query(Zone("Europe/Amsterdam"), utc("2026-11-23 16:00:00"), 500);
    CHECK(format_local(query.begintime) == "2026-11-23 17:00:00");
    CHECK(format_local(query.endtime) == "2026-11-24 17:00:00");
    CHECK(query.limit == 500);
    CHECK_FALSE(query.total);
}

TEST_CASE("zone check: in the hour that occurs twice, the question begins after it") {
    const copernica::PageQuery query =
        plan::rows_ahead_query(Zone("Europe/Amsterdam"), utc("2026-10-25 00:30:00"), 500);
    CHECK(format_local(query.begintime) == "2026-10-25 03:00:00");
}

TEST_CASE("zone check: a minute ahead is a clock, more is a zone") {
    const Zone zone("Europe/Amsterdam");
    const Instant now = utc("2026-11-23 16:00:00");
    const LocalTime here = zone.to_local(now);
    const auto why = [&](Seconds ahead, Instant replied) {
        return plan::why_wrong_zone(page_with(here + ahead), zone, replied);
    };
    CHECK_FALSE(plan::why_wrong_zone(copernica::Page{}, zone, now).has_value());
    CHECK_FALSE(why(Seconds(60), now).has_value());
    const auto wrong = why(Seconds(28740), now);
    REQUIRE(wrong.has_value());
    CHECK(wrong->find("7 h 59 min later") != std::string::npos);
    CHECK(wrong->find("Europe/Amsterdam") != std::string::npos);
    CHECK(why(Seconds(61), now).has_value());
    // What was logged while a request was repeated for an hour is not ahead.
    CHECK_FALSE(why(Seconds(3600), now + Seconds(3600)).has_value());
    CHECK(why(Seconds(3661), now + Seconds(3600)).has_value());
}

TEST_CASE("zone check: in the hour that occurs twice, its first pass is not ahead") {
    const Zone zone("Europe/Amsterdam");
    const auto why = [&](LocalTime row) {
        return plan::why_wrong_zone(page_with(row), zone, utc("2026-10-25 00:30:00"));
    };
    CHECK_FALSE(why(tests::local("2026-10-25 02:59:59")).has_value());
    CHECK(why(tests::local("2026-10-25 03:01:01")).has_value());
}

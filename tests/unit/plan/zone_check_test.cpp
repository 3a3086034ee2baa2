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
    const copernica::PageQuery query =
        plan::rows_ahead_query(zone, utc("2026-11-23 16:00:00"), 500);
    CHECK_FALSE(plan::why_wrong_zone(query, copernica::Page{}, zone).has_value());
    CHECK_FALSE(
        plan::why_wrong_zone(query, page_with(query.begintime + Seconds(60)), zone).has_value());
    const auto why = plan::why_wrong_zone(query, page_with(query.begintime + Seconds(28740)), zone);
    REQUIRE(why.has_value());
    CHECK(why->find("7 h 59 min later") != std::string::npos);
    CHECK(why->find("Europe/Amsterdam") != std::string::npos);
    CHECK(plan::why_wrong_zone(query, page_with(query.begintime + Seconds(61)), zone).has_value());
}

#include "core/time/text.hpp"

#include <string_view>

#include <doctest/doctest.h>

using namespace mirror;

TEST_CASE("local text: what is read is written the same again") {
    for (const char* text : {"2014-10-09 13:41:46", "2000-02-29 00:00:00", "1969-12-31 23:59:59",
                             "9999-12-31 23:59:59", "0001-01-01 00:00:00"}) {
        CAPTURE(text);
        const auto local = parse_local(text);
        REQUIRE(local.has_value());
        CHECK(format_local(*local) == text);
    }
}

TEST_CASE("local text: what is not a time is not read") {
    for (const char* text :
         {"", "2014-10-09", "2014-10-09T13:41:46", "2014-10-09 13:41:46 ", " 2014-10-09 13:41:46",
          "2014-10-09 13:41", "2014-13-09 13:41:46", "2014-02-29 13:41:46", "2014-10-09 24:00:00",
          "2014-10-09 13:60:00", "2014-10-09 13:41:60", "0000-00-00 00:00:00",
          "2014-1-09 13:41:46Z", "+014-10-09 13:41:46", "2014-10-0\xd9 13:41:46"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_local(text).has_value());
    }
}

TEST_CASE("local text is written the same without an allocation") {
    LocalTime at = *parse_local("0000-01-01 00:00:00");
    const LocalTime end = *parse_local("9999-12-31 23:59:59");
    // A step that meets every month, day, hour, minute and second.
    for (; at <= end; at += Seconds(86400 * 37 + 3600 * 5 + 60 * 7 + 11)) {
        char text[local_text_size];
        write_local(at, text);
        REQUIRE(std::string_view(text, sizeof text) == format_local(at));
    }
}

TEST_CASE("UTC text is ISO 8601") {
    CHECK(format_utc(Instant(Seconds(0))) == "1970-01-01T00:00:00Z");
    CHECK(format_day(Instant(Seconds(-1))) == "1969-12-31");
    CHECK(format_day(LocalTime(Seconds(1795968005))) == "2026-11-29");
    CHECK(format_utc(Instant(Seconds(1795968005))) == "2026-11-29T16:00:05Z");
}

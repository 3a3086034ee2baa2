#include "core/http/http_date.hpp"

#include <string>

#include <doctest/doctest.h>

#include "core/http/retry_after.hpp"

using namespace mirror;
using namespace mirror::http;

namespace {

Instant at(long long seconds) {
    return Instant(Seconds(seconds));
}

}  // namespace

TEST_CASE("an HTTP date is read as an IMF-fixdate") {
    CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == at(784111777));
    CHECK(parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT") == at(0));
    CHECK(parse_http_date("Tue, 29 Feb 2000 23:59:59 GMT") == at(951868799));
    CHECK(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT") == at(1483228799));
}

TEST_CASE("what is not an IMF-fixdate is not read") {
    for (const char* text : {"", "Sun, 06 Nov 1994 08:49:37", "Mon, 06 Nov 1994 08:49:37 GMT",
                             "Sun, 06 Nov 1994 08:49:37 UTC", "Sunday, 06-Nov-94 08:49:37 GMT",
                             "Sun Nov  6 08:49:37 1994", "Sun, 6 Nov 1994 08:49:37 GMT",
                             "sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
                             "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
                             "Wed, 30 Feb 2000 00:00:00 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
                             "Sun, 06 Nov -994 08:49:37 GMT", "Sun, 06 unN 1994 08:49:37 GMT",
                             "Sun, 06 Nov 1994 08:49:37 GMT "}) {
        CAPTURE(std::string(text));
        CHECK_FALSE(parse_http_date(text).has_value());
    }
}

TEST_CASE("Retry-After is seconds or a date") {
    const Instant now = at(784111777);
    const Seconds year = std::chrono::hours(24 * 365);
    CHECK(parse_retry_after("0", now) == Seconds(0));
    CHECK(parse_retry_after("120", now) == Seconds(120));
    CHECK(parse_retry_after("99999999999999999999999999", now) == year);
    CHECK(parse_retry_after("Sun, 06 Nov 1994 08:50:07 GMT", now) == Seconds(30));
    CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:07 GMT", now) == Seconds(0));
    CHECK(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", now) == year);
    for (const char* text : {"", " ", "-1", "1.5", "soon", "1 s", "0x10"}) {
        CAPTURE(std::string(text));
        CHECK_FALSE(parse_retry_after(text, now).has_value());
    }
}

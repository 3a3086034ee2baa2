#include "core/record/plain_forms.hpp"

#include <string>

#include <doctest/doctest.h>

#include "core/copernica/page_decoder.hpp"
#include "core/time/text.hpp"
#include "tests/support/impression.hpp"

using namespace mirror;
using namespace mirror::copernica;

namespace {

Page decode(const std::string& records) {
    PageDecoder decoder;
    decoder.begin(*find_stream("impressions"));
    decoder.feed(R"({"start":0,"limit":1000,"count":1,"data":[)" + records + "]}");
    decoder.finish();
    return decoder.take();
}

std::string record(const std::string& id, const std::string& timestamp) {
    return R"({"ID":)" + id + R"(,"mailing":"7","timestamp":")" + timestamp + "\"}";
}

}  // namespace

TEST_CASE("plain IDs") {
    for (const char* const one : {"1", "1.0", "1.000", "+1", " 1", "1 ", "\t1\n", "001", "+01.0"}) {
        CAPTURE(std::string(one));
        CHECK(read_plain_id(one) == 1);
    }
    CHECK(read_plain_id("9223372036854775807.0") == 9223372036854775807);
    for (const char* const none :
         {"", " ", "+", "0", "000", "0.0", "-1", "1.5", "1.", ".0", "1e3", "0x1", "1 2", "1,000",
          "++1", "+ 1", "9223372036854775808", "abc"}) {
        CAPTURE(std::string(none));
        CHECK_FALSE(read_plain_id(none).has_value());
    }
}

TEST_CASE("plain times") {
    const LocalTime time = parse_local("2014-10-09 13:41:46").value();
    for (const char* const text :
         {"2014-10-09 13:41:46", "2014-10-09T13:41:46", "2014-10-09 13:41:46.0",
          "2014-10-09T13:41:46.999999", " 2014-10-09 13:41:46 "}) {
        CAPTURE(std::string(text));
        CHECK(read_plain_time(text) == time);
    }
    for (const char* const none :
         {"", "2014-10-09", "2014-10-09T13:41", "2014-10-09T13:41:46Z", "2014-10-09T13:41:46+02:00",
          "2014-10-09T13:41:46.", "2014-10-09_13:41:46", "2014-10-09T25:41:46",
          "2014-02-30T13:41:46", "1412854906"}) {
        CAPTURE(std::string(none));
        CHECK_FALSE(read_plain_time(none).has_value());
    }
}

TEST_CASE(
    "a page whose IDs and times all have another plain form is read, and its texts are kept") {
    const Page page =
        decode(record("\"1.0\"", "2014-10-09T13:41:46") + "," +
               record("2.0", "2014-10-09T13:41:47") + "," + record("\"x\"", "2014-10-09T13:41:48"));
    REQUIRE(page.rows.size() == 2);
    CHECK(page.rows[0].id == 1);
    CHECK(page.rows[0].time == parse_local("2014-10-09 13:41:46"));
    CHECK(tests::impression_of(page.rows[0]).mailing == 7);
    CHECK(page.rows[0].extra == R"({"ID":"1.0","timestamp":"2014-10-09T13:41:46"})");
    CHECK(page.rows[1].id == 2);
    CHECK(page.rows[1].extra == R"({"ID":2.0,"timestamp":"2014-10-09T13:41:47"})");
    REQUIRE(page.rejects.size() == 1);
    CHECK(page.rejects[0].position == 2);
    CHECK(page.unusual_form == "the timestamp \"2014-10-09T13:41:46\"");
}

TEST_CASE("a page whose records have their ID under the key id") {
    const Page page = decode(R"({"id":"169","timestamp":"2015-01-13 15:09:49"})");
    REQUIRE(page.rows.size() == 1);
    CHECK(page.rows[0].id == 169);
    CHECK(page.rows[0].extra == R"({"id":"169"})");
    CHECK(page.unusual_form == "the ID in the field \"id\"");
    // As of any key that comes twice, the last one counts.
    const Page twice = decode(R"({"id":1,"id":2,"timestamp":"2015-01-13 15:09:49"})");
    REQUIRE(twice.rows.size() == 1);
    CHECK(twice.rows[0].id == 2);
    CHECK(twice.rows[0].extra == R"({"id":2})");
    CHECK(decode(R"({"id":1,"id":[],"timestamp":"2015-01-13 15:09:49"})").rows.empty());
}

TEST_CASE("the form that is reported is one of a record that is read by it") {
    // The first is a reject in any case; its form does not count for the page.
    const Page page = decode(record("\"x\"", "2014-10-09 13:41:46") + "," +
                             record("\"1.0\"", "2014-10-09 13:41:47"));
    REQUIRE(page.rows.size() == 1);
    CHECK(page.unusual_form == "the ID \"1.0\"");
}

TEST_CASE("beside usual ones, another form would be a guess") {
    for (const bool usual_first : {true, false}) {
        const std::string usual = record("\"7\"", "2014-10-09 13:41:46");
        const std::string other = record("\"007\"", "2014-10-09 13:41:47");
        const Page page = decode(usual_first ? usual + "," + other : other + "," + usual);
        REQUIRE(page.rows.size() == 1);
        CHECK_FALSE(page.rows[0].extra.has_value());
        REQUIRE(page.rejects.size() == 1);
        CHECK(page.rejects[0].position == (usual_first ? 1 : 0));
        CHECK_FALSE(page.rejects[0].id.has_value());
        CHECK(page.rejects[0].reason == "no usable ID: \"007\"");
        CHECK(page.rejects[0].record ==
              R"({"ID":"007","mailing":"7","timestamp":"2014-10-09 13:41:47"})");
        CHECK_FALSE(page.unusual_form.has_value());
    }
}

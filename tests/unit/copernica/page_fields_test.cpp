// Which fields of a record become values of the row, and which go to extra.
#include <cstdint>
#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "core/copernica/page_decoder.hpp"
#include "tests/support/impression.hpp"
#include "tests/unit/copernica/decoded.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::tests;

TEST_CASE("numeric fields are numbers or strings of digits; all else goes to extra") {
    struct Row {
        const char* json;
        std::optional<std::int64_t> value;
        bool extra;
    };
    const Row rows[] = {
        {"412", 412, false},
        {"\"412\"", 412, false},
        {"0", 0, false},
        {"\"-1\"", -1, false},
        {"-1", -1, false},
        {"null", std::nullopt, false},
        {"9223372036854775807", INT64_MAX, false},
        {"\"9223372036854775807\"", INT64_MAX, false},
        {"-9223372036854775808", INT64_MIN, false},
        {"9223372036854775808", std::nullopt, true},
        {"123456789012345678901234567890", std::nullopt, true},
        {"\"9223372036854775808\"", std::nullopt, true},
        {"1.0", std::nullopt, true},
        {"1e3", std::nullopt, true},
        {"-0", std::nullopt, true},
        {"\"\"", std::nullopt, true},
        {"\"01\"", std::nullopt, true},
        {"\"+1\"", std::nullopt, true},
        {"\" 1\"", std::nullopt, true},
        {"\"1.0\"", std::nullopt, true},
        {"true", std::nullopt, true},
        {"[412]", std::nullopt, true},
        {"{}", std::nullopt, true},
    };
    for (const char* const field : {"mailing", "destination", "profile", "subprofile"}) {
        for (const Row& row : rows) {
            CAPTURE(std::string(field));
            CAPTURE(std::string(row.json));
            const Page page = decode_fields("\"" + std::string(field) + "\":" + row.json);
            REQUIRE(page.rows.size() == 1);
            const Impression got = impression_of(page.rows[0]);
            const std::string name = field;
            CHECK((name == "mailing"       ? got.mailing
                   : name == "destination" ? got.destination
                   : name == "profile"     ? got.profile
                                           : got.subprofile) == row.value);
            CHECK(got.extra.has_value() == row.extra);
            if (row.extra) {
                CHECK(*got.extra == "{\"" + name + "\":" + row.json + "}");
            }
        }
    }
}

TEST_CASE("text fields are strings; all else goes to extra") {
    for (const char* const field : {"ip", "useragent", "device"}) {
        for (const char* const json : {"1", "1.5", "false", "[\"a\"]", "{\"a\":null}"}) {
            const Page page = decode_fields("\"" + std::string(field) + "\":" + json);
            REQUIRE(page.rows.size() == 1);
            CHECK_FALSE(impression_of(page.rows[0]).ip.has_value());
            CHECK_FALSE(impression_of(page.rows[0]).useragent.has_value());
            CHECK_FALSE(impression_of(page.rows[0]).device.has_value());
            CHECK(page.rows[0].extra == "{\"" + std::string(field) + "\":" + json + "}");
        }
    }
    const Page page = decode_fields(R"("ip":"","useragent":"","device":null)");
    CHECK(impression_of(page.rows[0]).ip == "");
    CHECK(impression_of(page.rows[0]).useragent == "");
    CHECK_FALSE(impression_of(page.rows[0]).device.has_value());
    CHECK_FALSE(page.rows[0].extra.has_value());
}

TEST_CASE("extra keeps what is not known, sorted, and names are told apart by case") {
    const Page page = decode_fields(
        R"("id":1,"zz":null,"Mailing":"x","":[],"a\u0000":"\u0000\ud83d\ude00\\","n":1E+2,"mailing":[{"b":1,"a":{"d":[],"c":2}}])");
    CHECK(
        page.rows[0].extra ==
        R"({"":[],"Mailing":"x","a\u0000":"\u0000😀\\","id":1,"mailing":[{"a":{"c":2,"d":[]},"b":1}],"n":1E+2,"zz":null})");
}

TEST_CASE("of fields that come twice, the last one counts") {
    const Page page = decode_fields(
        R"("mailing":1,"x":1,"device":true,"x":2,"mailing":"2","device":"tv","profile":3,"profile":null,"y":{"a":1,"a":2})");
    CHECK(impression_of(page.rows[0]).mailing == 2);
    CHECK(impression_of(page.rows[0]).device == "tv");
    CHECK_FALSE(impression_of(page.rows[0]).profile.has_value());
    CHECK(page.rows[0].extra == R"({"x":2,"y":{"a":2}})");
    const Page no_id = decode(R"({"data":[{"ID":1,"timestamp":"2014-10-09 13:41:46","ID":null}]})");
    CHECK(no_id.rows.empty());
    REQUIRE(no_id.rejects.size() == 1);
    CHECK(no_id.rejects[0].record == R"({"ID":null,"timestamp":"2014-10-09 13:41:46"})");
}

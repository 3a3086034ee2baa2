#include "core/copernica/page_decoder.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "tests/support/impression.hpp"
#include "tests/unit/copernica/decoded.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::http;
using namespace mirror::tests;

namespace {

// All that a page says, as one text.
std::string text_of(const Page& page) {
    const auto number = [](const auto& value) { return value ? std::to_string(*value) : "-"; };
    const auto text = [](const auto& value) {
        return value ? "<" + std::string(*value) + ">" : "-";
    };
    std::string result = number(page.start) + " " + number(page.limit) + " " + number(page.count) +
                         " " + number(page.total) + "\n";
    for (const Row& each : page.rows) {
        const Impression row = impression_of(each);
        result += std::to_string(row.id) + " " + format_local(row.time) + " <" +
                  format_local(row.time) + "> " + number(row.mailing) + " " +
                  number(row.destination) + " " + number(row.profile) + " " +
                  number(row.subprofile) + " " + text(row.ip) + " " + text(row.useragent) + " " +
                  text(row.device) + " " + text(row.extra) + "\n";
    }
    for (const Reject& reject : page.rejects) {
        result += "reject " + std::to_string(reject.position) + " " + number(reject.id) + " " +
                  (reject.time ? format_local(*reject.time) : "-") + " " + text(reject.timestamp) +
                  " " + reject.reason + " " + reject.record + "\n";
    }
    return result;
}

const std::string example =
    R"({"start":0,"limit":1000,"count":2,"total":2,"data":[
 {"ID":"1","mailing":"412","timestamp":"2014-10-09 13:41:46","ip":"2a03:e280:0:1::1",
  "useragent":"Mozilla\/5.0 (Ubuntu; X11; Linux x86_64; rv:8.0) Gecko\/20100101 Firefox\/8.0",
  "device":"desktop","destination":"112","profile":13453,"subprofile":null},
 {"ID":2,"mailing":-5,"timestamp":"2014-10-09 13:41:47","ip":null,"useragent":"\u00e9\ud83d\ude00\u0000\n",
  "device":"fridge","destination":9223372036854775807,"new":{"b":[1.50,"x\/y",{}],"a":true},
  "profile":"13453"},
 {"ID":"abc","timestamp":"never","z":1,"a":"1"}]}
)";

}  // namespace

TEST_CASE("the page of the documentation") {
    const Page page = decode(example);
    CHECK(page.start == 0U);
    CHECK(page.limit == 1000U);
    CHECK(page.count == 2U);
    CHECK(page.total == 2U);
    REQUIRE(page.rows.size() == 2);
    const Impression first = impression_of(page.rows[0]);
    CHECK(first.id == 1);
    CHECK(first.mailing == 412);
    CHECK(format_local(first.time) == "2014-10-09 13:41:46");
    CHECK(format_local(first.time) == "2014-10-09 13:41:46");
    CHECK(first.ip == "2a03:e280:0:1::1");
    CHECK(first.useragent ==
          "Mozilla/5.0 (Ubuntu; X11; Linux x86_64; rv:8.0) Gecko/20100101 Firefox/8.0");
    CHECK(first.device == "desktop");
    CHECK(first.destination == 112);
    CHECK(first.profile == 13453);
    CHECK_FALSE(first.subprofile.has_value());
    CHECK_FALSE(first.extra.has_value());
    const Impression second = impression_of(page.rows[1]);
    CHECK(second.id == 2);
    CHECK(second.mailing == -5);
    CHECK_FALSE(second.ip.has_value());
    CHECK(second.useragent == std::string_view("\xc3\xa9\xf0\x9f\x98\x80\0\n", 8));
    CHECK(second.destination == 9223372036854775807);
    CHECK(second.extra == R"({"new":{"a":true,"b":[1.50,"x/y",{}]}})");
    REQUIRE(page.rejects.size() == 1);
    CHECK(page.rejects[0].position == 2);
    CHECK(page.rejects[0].reason == R"(no usable ID: "abc"; no usable timestamp: "never")");
    CHECK(page.rejects[0].record == R"({"ID":"abc","a":"1","timestamp":"never","z":1})");
}

TEST_CASE("a page is the same in pieces of any size") {
    const std::string whole = text_of(decode(example));
    for (std::size_t piece = 1; piece <= example.size(); ++piece) {
        REQUIRE(text_of(decode(example, piece)) == whole);
    }
    // And cut in two at every place.
    for (std::size_t cut = 0; cut <= example.size(); ++cut) {
        PageDecoder decoder;
        decoder.begin(*find_stream("impressions"));
        decoder.feed(std::string_view(example).substr(0, cut));
        decoder.feed(std::string_view(example).substr(cut));
        decoder.finish();
        REQUIRE(text_of(decoder.take()) == whole);
    }
}

TEST_CASE("a page that is cut anywhere is none") {
    const std::size_t end = example.rfind('}');
    for (std::size_t length = 0; length <= end; ++length) {
        CAPTURE(length);
        REQUIRE_THROWS_AS(decode(example.substr(0, length)), BadBody);
    }
}

TEST_CASE("a decoder is used again, also after a page that failed") {
    PageDecoder decoder;
    std::string first;
    for (int round = 0; round < 3; ++round) {
        decoder.begin(*find_stream("impressions"));
        decoder.feed(example);
        decoder.finish();
        const Page page = decoder.take();
        first = first.empty() ? text_of(page) : first;
        CHECK(text_of(page) == first);
        decoder.begin(*find_stream("impressions"));
        CHECK_THROWS_AS(decoder.feed(example.substr(0, 300) + "\x01"), BadBody);
    }
}

TEST_CASE("pages that share a pool share their user agents, without the token") {
    const auto pool = std::make_shared<TextPool>();
    Secrets token;
    token.add(Secret("CANARY-in-a-cage"));
    std::vector<const char*> places;
    PageDecoder decoder;
    for (int round = 0; round < 2; ++round) {
        decoder.begin(*find_stream("impressions"), token, pool, {});
        decoder.feed(
            R"({"data":[{"ID":1,"timestamp":"2014-10-09 13:41:46","useragent":"Mozilla\/5.0"},)"
            R"({"ID":2,"timestamp":"2014-10-09 13:41:46","useragent":"has CANARY-in-a-cage in it"}]})");
        decoder.finish();
        const Page page = decoder.take();
        CHECK(page.entries == pool);
        for (const Row& row : page.rows) {
            const std::string_view text = row.entries[slot::agent].first.value();
            CHECK(text.find("CANARY") == std::string_view::npos);
            places.push_back(text.data());
        }
    }
    REQUIRE(places.size() == 4);
    CHECK(places[0] == places[2]);
    CHECK(places[1] == places[3]);
}

TEST_CASE("the envelope") {
    const Page page = decode(
        R"({"x":[1,{"data":[1]}],"total":"12","data":[],"y":{"start":9},"start":18446744073709551615,"count":-1,"limit":1.5,"z":"s"})");
    CHECK(page.total == 12U);
    CHECK(page.start == 18446744073709551615U);
    CHECK_FALSE(page.count.has_value());
    CHECK_FALSE(page.limit.has_value());
    CHECK(page.records() == 0);
    CHECK(decode("  {\"data\" : [ ] } \r\n\t").records() == 0);
}

TEST_CASE("an `error` that is empty does not report an error") {
    for (const char* const none :
         {"null", "false", "0", "\"\"", "[]", "{}", R"({"message":null})"}) {
        CAPTURE(std::string(none));
        CHECK(decode(R"({"error":)" + std::string(none) + R"(,"total":0,"data":[]})").total == 0U);
    }
    // Only the envelope's own field counts.
    CHECK(decode(R"({"data":[{"error":"x"}],"x":{"error":{"message":"y"}}})").records() == 1);
}

TEST_CASE("replies that cannot be believed, and why") {
    struct Row {
        std::string body;
        const char* why;
    };
    const Row rows[] = {
        {"", "empty"},
        {"   ", "cut off"},
        {"[]", "not a JSON object"},
        {"17", "not a JSON object"},
        {"\"data\"", "not a JSON object"},
        {"null", "not a JSON object"},
        {"{}", "no \"data\""},
        {"{\"count\":0}", "no \"data\""},
        {"{\"data\":null}", "not an array"},
        {"{\"data\":{}}", "not an array"},
        {"{\"data\":\"\"}", "not an array"},
        {"{\"data\":0}", "not an array"},
        {"{\"data\":[],\"data\":[]}", "two fields"},
        {"{\"data\":[]}x", "follows"},
        {"{\"data\":[]}{}", "follows"},
        {"{\"data\":[]} ]", "follows"},
        {"{\"data\":[}", "not JSON"},
        {"{\"data\":[1,]}", "not JSON"},
        {"{\"data\":[01]}", "not JSON"},
        {"{\"data\":[NaN]}", "not JSON"},
        {"{\"data\":[\"\xff\"]}", "not JSON"},
        {"{\"data\":[\"\xed\xa0\x80\"]}", "not JSON"},
        {"{\"data\":[\"\\ud800\"]}", "not JSON"},
        {"{\"data\":[\"\n\"]}", "not JSON"},
        {"{\"data\":[/*x*/]}", "not JSON"},
        {"\xef\xbb\xbf{\"data\":[]}", "not JSON"},
        {"<html><body>502 Server Error</body></html>", "not JSON"},
        {std::string("{\"data\":[]}\0", 12), "follows"},
        {R"({"error":{"message":"Down for a moment"}})", "an error: Down for a moment"},
        {R"({"error":{"message":"Down"},"total":0,"count":0,"data":[]})", "an error: Down"},
        {R"({"total":1,"data":[{"ID":1}],"error":{"code":7,"message":"Half"}})", "error: Half"},
        {R"({"data":[],"error":"Down"})", "an error: Down"},
        {R"({"data":[],"error":true})", "an error"},
        {R"({"data":[],"error":{"code":503}})", "an error"},
        {R"({"data":[],"error":[{"message":"In a list"}]})", "an error: In a list"},
    };
    for (const Row& row : rows) {
        for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}}) {
            CAPTURE(row.body);
            CAPTURE(piece);
            CHECK_THROWS_WITH_AS(decode(row.body, piece), doctest::Contains(row.why), BadBody);
        }
    }
}

TEST_CASE("texts that repeat are kept once") {
    std::string body = R"({"data":[)";
    for (int i = 1; i <= 50; ++i) {
        body += (i > 1 ? "," : "") + std::string("{\"ID\":") + std::to_string(i) +
                R"(,"timestamp":"2014-10-09 13:41:46","useragent":"agent )" +
                std::to_string(i % 2) + R"(","device":"desktop"})";
    }
    const Page page = decode(body + "]}");
    REQUIRE(page.rows.size() == 50);
    for (std::size_t i = 2; i < 50; ++i) {
        CHECK(impression_of(page.rows[i]).useragent->data() ==
              impression_of(page.rows[i - 2]).useragent->data());
        CHECK(impression_of(page.rows[i]).device->data() ==
              impression_of(page.rows[0]).device->data());
    }
}

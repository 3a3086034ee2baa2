#include "core/copernica/page_decoder.hpp"

#include <random>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "tests/support/impression.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::http;
using namespace mirror::tests;

namespace {

Page decode(const std::string& body, std::size_t piece = 1 << 20, const PageLimits& limits = {}) {
    PageDecoder decoder(limits);
    decoder.begin(*find_stream("impressions"));
    for (std::size_t at = 0; at < body.size(); at += piece) {
        decoder.feed(std::string_view(body).substr(at, piece));
    }
    decoder.finish();
    return decoder.take();
}

// A page with one record: `fields` and, unless they say otherwise, an ID and a timestamp.
Page decode_fields(const std::string& fields) {
    return decode(R"({"data":[{"ID":7,"timestamp":"2014-10-09 13:41:46")" +
                  (fields.empty() ? "" : "," + fields) + "}]}");
}

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

TEST_CASE("records that cannot be rows") {
    struct Row {
        const char* record;  // keys sorted
        const char* reason;
        std::optional<std::int64_t> id;
        bool time;
    };
    const Row rows[] = {
        {R"({"timestamp":"2014-10-09 13:41:46"})", "no usable ID: absent", {}, true},
        {R"({"ID":null,"timestamp":"2014-10-09 13:41:46"})", "no usable ID: null", {}, true},
        {R"({"ID":0,"timestamp":"2014-10-09 13:41:46"})", "no usable ID: 0", {}, true},
        {R"({"ID":"-1","timestamp":"2014-10-09 13:41:46"})", "no usable ID: \"-1\"", {}, true},
        {R"({"ID":"","timestamp":"2014-10-09 13:41:46"})", "no usable ID: \"\"", {}, true},
        {R"({"ID":"1x","timestamp":"2014-10-09 13:41:46"})", "no usable ID: \"1x\"", {}, true},
        {R"({"ID":1.5,"timestamp":"2014-10-09 13:41:46"})", "no usable ID: 1.5", {}, true},
        {R"({"ID":9223372036854775808,"timestamp":"2014-10-09 13:41:46"})",
         "no usable ID: 9223372036854775808",
         {},
         true},
        {R"({"ID":{"a":1},"timestamp":"2014-10-09 13:41:46"})",
         "no usable ID: {\"a\":1}",
         {},
         true},
        {R"({"ID":5})", "no usable timestamp: absent", 5, false},
        {R"({"ID":"5","timestamp":null})", "no usable timestamp: null", 5, false},
        {R"({"ID":5,"timestamp":1412855000})", "no usable timestamp: 1412855000", 5, false},
        {R"({"ID":5,"timestamp":"0000-00-00 00:00:00"})",
         "no usable timestamp: \"0000-00-00 00:00:00\"", 5, false},
        {R"({"ID":5,"timestamp":"2014-10-09T13:41:46Z"})",
         "no usable timestamp: \"2014-10-09T13:41:46Z\"", 5, false},
        {R"({})", "no usable ID: absent; no usable timestamp: absent", {}, false},
        {R"({"a":{"b":[1,"1",1.0,null,true]}})",
         "no usable ID: absent; no usable timestamp: absent",
         {},
         false},
        {R"(17)", "no object: 17", {}, false},
        {R"("a\"b")", "no object: \"a\\\"b\"", {}, false},
        {R"(null)", "no object: null", {}, false},
        {R"(false)", "no object: false", {}, false},
        {R"([{"ID":1},[]])", "no object: [{\"ID\":1},[]]", {}, false},
    };
    std::string body = R"({"data":[{"ID":1,"timestamp":"2014-10-09 13:41:46"})";
    for (const Row& row : rows) {
        body += "," + std::string(row.record);
    }
    body += R"(,{"ID":2,"timestamp":"2014-10-09 13:41:46"}]})";
    const Page page = decode(body);
    CHECK(page.rows.size() == 2);
    REQUIRE(page.rejects.size() == std::size(rows));
    for (std::size_t at = 0; at < std::size(rows); ++at) {
        const Reject& reject = page.rejects[at];
        CAPTURE(std::string(rows[at].record));
        CHECK(reject.position == at + 1);
        CHECK(reject.record == rows[at].record);
        CHECK(reject.reason == rows[at].reason);
        CHECK(reject.id == rows[at].id);
        CHECK(reject.time.has_value() == rows[at].time);
    }
    CHECK(page.rejects[11].timestamp == std::nullopt);
    CHECK(page.rejects[12].timestamp == "0000-00-00 00:00:00");
}

TEST_CASE("a reject's reason is short and moves no cursor") {
    const Page page = decode(R"({"data":[{"ID":"\u001b[2J)" + std::string(1000, 'x') + "\"}]}");
    REQUIRE(page.rejects.size() == 1);
    CHECK(page.rejects[0].reason.size() < 150);
    CHECK(page.rejects[0].reason.find('\x1b') == std::string::npos);
    CHECK(page.rejects[0].record.size() > 1000);
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
    };
    for (const Row& row : rows) {
        for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}}) {
            CAPTURE(row.body);
            CAPTURE(piece);
            CHECK_THROWS_WITH_AS(decode(row.body, piece), doctest::Contains(row.why), BadBody);
        }
    }
}

TEST_CASE("limits") {
    const auto nested = [](std::size_t depth) {
        // The envelope, `data` and the record are three.
        return R"({"data":[{"x":)" + std::string(depth - 3, '[') + std::string(depth - 3, ']') +
               "}]}";
    };
    CHECK(decode(nested(32)).rejects.size() == 1);
    CHECK_THROWS_WITH_AS(decode(nested(33)), doctest::Contains("too deep"), BadBody);
    CHECK_THROWS_WITH_AS(decode("{\"x\":" + std::string(1'000'000, '[')),
                         doctest::Contains("too deep"), BadBody);

    const std::size_t text = std::size_t{1} << 20;
    for (const std::size_t piece : {std::size_t{4096}, std::size_t{8} << 20}) {
        CHECK(decode(R"({"data":[{"x":")" + std::string(text, 'a') + "\"}]}", piece).records() ==
              1);
        for (const std::string& body : {R"({"data":[{"x":")" + std::string(text + 1, 'a') + "\"}]}",
                                        R"({"data":[{")" + std::string(text + 1, 'a') + "\":1}]}",
                                        R"({"x":")" + std::string(text + 1, 'a') + "\"}",
                                        R"({"data":[)" + std::string(text + 1, '1') + "]}",
                                        R"({"data":[")" + std::string(text, 'a') + "\\n\"]}"}) {
            CHECK_THROWS_WITH_AS(decode(body, piece), doctest::Contains("too long"), BadBody);
        }
    }

    std::string large = R"({"data":[{"x":[)";
    for (int i = 0; i < 5; ++i) {
        large += "\"" + std::string(text - 10, 'b') + "\",";
    }
    CHECK_THROWS_WITH_AS(decode(large), doctest::Contains("record in the reply is too large"),
                         BadBody);
    std::string many_fields = R"({"data":[{"x":1)";
    for (int i = 0; i < 200'000; ++i) {
        many_fields += ",\"\":1";
    }
    CHECK_THROWS_WITH_AS(decode(many_fields + "}]}"),
                         doctest::Contains("record in the reply is too large"), BadBody);

    PageLimits limits;
    limits.records = 3;
    limits.body_bytes = 30;
    CHECK(decode("{\"data\":[1,2,3]}", 1000, limits).records() == 3);
    CHECK_THROWS_WITH_AS(decode("{\"data\":[1,2,3,4]}", 1000, limits),
                         doctest::Contains("too many records"), BadBody);
    CHECK_THROWS_WITH_AS(decode("{\"data\":[1,2,3,{}]}", 1000, limits),
                         doctest::Contains("too many records"), BadBody);

    // What cannot be rows is kept whole, with a reason of a dozen bytes and more.
    PageLimits few;
    few.reject_bytes = 60;
    CHECK(decode("{\"data\":[123]}", 1000, few).rejects.size() == 1);
    for (const char* const rejects :
         {"[1,2,3,4,5]", "[[],[],[],[],[]]", "[{},{}]", R"([{"ID":"1","timestamp":"never"}])"}) {
        CAPTURE(std::string(rejects));
        CHECK_THROWS_WITH_AS(decode("{\"data\":" + std::string(rejects) + "}", 1000, few),
                             doctest::Contains("unusable records in the reply are too large"),
                             BadBody);
    }
    CHECK_THROWS_WITH_AS(decode("{\"data\":[]}" + std::string(20, ' '), 1, limits),
                         doctest::Contains("too large"), BadBody);
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

namespace {

// Pages out of dice: values of all kinds in all fields.
class Dice {
  public:
    explicit Dice(unsigned seed) : random_(seed) {}

    std::size_t below(std::size_t end) { return random_() % end; }

    boost::json::value value(int depth) {
        namespace json = boost::json;
        static const char* const texts[] = {"1",
                                            "-5",
                                            "007",
                                            "2020-02-30 00:00:00",
                                            "2020-02-28 23:59:59",
                                            "",
                                            "\xc3\xa9\xf0\x9f\x98\x80\"\\/\n\x01",
                                            "desktop"};
        switch (below(depth > 0 ? 10 : 8)) {
            case 0:
                return nullptr;
            case 1:
                return below(2) == 0;
            case 2:
                return static_cast<std::int64_t>(random_()) - (1LL << 31);
            case 3:
                return std::uint64_t{1} << below(64);
            case 4:
                return static_cast<double>(below(1000)) / 8;
            case 8: {
                json::array array;
                for (std::size_t i = below(4); i > 0; --i) {
                    array.push_back(value(depth - 1));
                }
                return array;
            }
            case 9: {
                json::object object;
                for (std::size_t i = below(4); i > 0; --i) {
                    object[std::string(1, static_cast<char>('a' + below(26)))] = value(depth - 1);
                }
                return object;
            }
            default:
                return json::string(texts[below(std::size(texts))]);
        }
    }

    boost::json::value record() {
        static const char* const names[] = {"ID",         "mailing", "timestamp",   "ip",
                                            "useragent",  "device",  "destination", "profile",
                                            "subprofile", "new",     "id",          "zz"};
        if (below(20) == 0) {
            return value(3);
        }
        boost::json::object record;
        for (const char* const name : names) {
            if (below(3) > 0) {
                record[name] = value(3);
            }
        }
        if (below(4) > 0) {
            record["ID"] = 1 + below(100);
            record["timestamp"] = "2020-02-28 23:59:59";
        }
        return record;
    }

  private:
    std::mt19937 random_;
};

// The slow and simple way, over a DOM: the fields that make the row, and the rest.
struct Slow {
    bool row = false;
    std::optional<std::int64_t> numbers[5];
    std::optional<std::string> texts[4];
    boost::json::object rest;
};

std::optional<std::int64_t> slow_number(const boost::json::value& value) {
    if (value.is_int64()) {
        return value.get_int64();
    }
    if (value.is_uint64() && value.get_uint64() <= INT64_MAX) {
        return static_cast<std::int64_t>(value.get_uint64());
    }
    if (value.is_string()) {
        const std::string text(value.get_string().data(), value.get_string().size());
        try {
            std::size_t used = 0;
            const long long number = std::stoll(text, &used);
            if (used == text.size() && std::to_string(number) == text) {
                return number;
            }
        } catch (const std::exception&) {
        }
    }
    return std::nullopt;
}

Slow slow_read(const boost::json::value& value) {
    Slow result;
    if (!value.is_object()) {
        return result;
    }
    static const char* const number_names[] = {"ID", "mailing", "destination", "profile",
                                               "subprofile"};
    static const char* const text_names[] = {"timestamp", "ip", "useragent", "device"};
    result.rest = value.get_object();
    const auto take = [&](const char* name, auto read, auto& into) {
        const boost::json::value* const field = value.get_object().if_contains(name);
        into = field == nullptr ? std::nullopt : read(*field);
        if (field == nullptr || field->is_null() || into) {
            result.rest.erase(name);
        }
    };
    for (std::size_t i = 0; i < 5; ++i) {
        take(number_names[i], slow_number, result.numbers[i]);
    }
    for (std::size_t i = 0; i < 4; ++i) {
        take(
            text_names[i],
            [](const boost::json::value& field) -> std::optional<std::string> {
                if (!field.is_string()) {
                    return std::nullopt;
                }
                return std::string(field.get_string().data(), field.get_string().size());
            },
            result.texts[i]);
    }
    result.row = result.numbers[0].value_or(0) > 0 && result.texts[0] &&
                 parse_local(*result.texts[0]).has_value();
    return result;
}

}  // namespace

TEST_CASE("the decoder agrees with a DOM on pages out of dice") {
    namespace json = boost::json;
    for (unsigned seed = 0; seed < 150; ++seed) {
        CAPTURE(seed);
        Dice dice(seed);
        json::array data;
        for (std::size_t i = dice.below(20); i > 0; --i) {
            data.push_back(dice.record());
        }
        json::object envelope;
        envelope["count"] = data.size();
        envelope["other"] = dice.value(3);
        envelope["data"] = data;
        const std::string body = json::serialize(envelope);
        const Page page = decode(body, 1 + dice.below(200));
        REQUIRE(page.count == data.size());
        REQUIRE(page.records() == data.size());
        std::size_t rows = 0;
        std::size_t rejects = 0;
        for (std::size_t i = 0; i < data.size(); ++i) {
            CAPTURE(i);
            const Slow slow = slow_read(data[i]);
            if (!slow.row) {
                const Reject& reject = page.rejects.at(rejects++);
                REQUIRE(reject.position == i);
                // Compared as values: the order of keys is ours. A round number that was written
                // as 1E0 stays one.
                REQUIRE(json::parse(reject.record) == json::parse(json::serialize(data[i])));
                continue;
            }
            const Impression row = impression_of(page.rows.at(rows++));
            REQUIRE(row.id == slow.numbers[0]);
            REQUIRE(row.mailing == slow.numbers[1]);
            REQUIRE(row.destination == slow.numbers[2]);
            REQUIRE(row.profile == slow.numbers[3]);
            REQUIRE(row.subprofile == slow.numbers[4]);
            REQUIRE(format_local(row.time) == slow.texts[0]);
            REQUIRE(row.ip == slow.texts[1]);
            REQUIRE(row.useragent == slow.texts[2]);
            REQUIRE(row.device == slow.texts[3]);
            const json::object extra =
                row.extra ? json::parse(std::string(*row.extra)).as_object() : json::object();
            REQUIRE(row.extra.has_value() == !slow.rest.empty());
            REQUIRE(extra == json::parse(json::serialize(slow.rest)));
        }
    }
}

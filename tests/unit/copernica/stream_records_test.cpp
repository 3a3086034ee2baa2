// Records of every stream: what becomes a value, and what stays in `extra`.
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "core/copernica/page_decoder.hpp"
#include "core/record/stream.hpp"
#include "core/time/text.hpp"

using namespace mirror;
using namespace mirror::copernica;

namespace {

Page decode(std::string_view stream, const std::string& records) {
    PageDecoder decoder;
    decoder.begin(*find_stream(stream));
    decoder.feed(R"({"data":[)" + records + "]}");
    decoder.finish();
    return decoder.take();
}

// "column=value" of each field that the row has, then its extra.
std::string text_of(const Stream& stream, const Row& row) {
    std::string result = std::to_string(row.id) + " " + format_local(row.time);
    const auto add = [&](const Field& field, const auto& value) {
        if (value) {
            result += " " + std::string(field.column) + "=" + std::string(*value);
        }
    };
    for (const Field& field : stream.fields) {
        switch (field.kind) {
            case FieldKind::timestamp:
                break;
            case FieldKind::integer:
                if (const auto& value = row.integers[field.slot]) {
                    result += " " + std::string(field.column) + "=" + std::to_string(*value);
                }
                break;
            case FieldKind::dictionary:
                add(field,
                    field.second ? row.entries[field.slot].second : row.entries[field.slot].first);
                break;
            default:
                add(field, row.texts[field.slot]);
        }
    }
    return result + (row.extra ? " extra=" + std::string(*row.extra) : "");
}

// Of the only record.
std::string read(std::string_view stream, const std::string& record) {
    const Page page = decode(stream, record);
    if (page.rows.empty()) {
        return "reject: " + page.rejects.at(0).reason;
    }
    return text_of(*find_stream(stream), page.rows.at(0));
}

}  // namespace

TEST_CASE("the examples of the API's documentation are read") {
    CHECK(read("clicks",
               R"({"ID":"1","mailing":"2","link":"http:\/\/www.myshop.nl\/{$profile.customerid}",)"
               R"("timestamp":"2014-10-14 11:33:22","ip":"2a03:e280:0:1::1",)"
               R"("useragent":"Mozilla\/5.0","destination":"1"})") ==
          "1 2014-10-14 11:33:22 mailing=2 link=http://www.myshop.nl/{$profile.customerid} "
          "ip=2a03:e280:0:1::1 useragent=Mozilla/5.0 destination=1");
    CHECK(read("deliveries",
               R"({"ID":"1","mailing":"33","timestamp":"2014-11-06 13:43:17","attempts":1,)"
               R"("destination":"312"})") ==
          "1 2014-11-06 13:43:17 mailing=33 attempts=1 destination=312");
    CHECK(read("errors",
               R"({"ID":"2","mailing":"234","timestamp":"2015-03-09 15:36:39","status":null,)"
               R"("errorcode":"0","description":"No valid from address is set","errortype":"",)"
               R"("destination":"764416"})") ==
          "2 2015-03-09 15:36:39 mailing=234 errorcode=0 "
          "description=No valid from address is set errortype= destination=764416");
    CHECK(read("abuses",
               R"({"ID":"12","mailing":"233482","timestamp":"2019-03-05 14:44:52","report":{},)"
               R"("destination":"1264524"})") ==
          "12 2019-03-05 14:44:52 mailing=233482 report={} destination=1264524");
    CHECK(read("unsubscribes", R"({"ID":"1","mailing":"412","timestamp":"2021-10-09 13:41:46",)"
                               R"("destination":"112","source":"click"})") ==
          "1 2021-10-09 13:41:46 mailing=412 source=click destination=112");
    CHECK(read("mailings",
               R"({"id":"169","timestamp":"2015-01-13 15:09:49","template":"579",)"
               R"("subject":"Test","from_address":{"name":"Test","email":"test@copernica.com"},)"
               R"("destinations":25,"type":"mass","target":{"type":"database",)"
               R"("sources":[{"id":"7578","type":"database"}]}})") ==
          "169 2015-01-13 15:09:49 subject=Test from_name=Test from_email=test@copernica.com "
          "template=579 type=mass destinations=25 "
          R"(target={"sources":[{"id":"7578","type":"database"}],"type":"database"})");
}

TEST_CASE("a number for a text stays the same text if the field takes numbers") {
    const std::string begin = R"({"ID":1,"timestamp":"2020-01-01 00:00:00",)";
    const std::string read_begin = "1 2020-01-01 00:00:00";
    CHECK(read("errors", begin + R"("status":550,"errorcode":5.10,"errortype":-0})") ==
          read_begin + " status=550 errorcode=5.10 errortype=-0");
    CHECK(read("errors", begin + R"("status":true,"errorcode":[1],"errortype":{}})") ==
          read_begin + R"( extra={"errorcode":[1],"errortype":{},"status":true})");
    CHECK(read("unsubscribes", begin + R"("source":1})") == read_begin + R"( extra={"source":1})");
}

TEST_CASE("JSON is kept as it is, with its keys sorted; a plain value is not JSON for a column") {
    const std::string begin = R"({"ID":1,"timestamp":"2020-01-01 00:00:00","report":)";
    const std::string read_begin = "1 2020-01-01 00:00:00";
    CHECK(read("abuses", begin + R"({"b":1,"a":{"d":null,"c":[2]}}})") ==
          read_begin + R"( report={"a":{"c":[2],"d":null},"b":1})");
    CHECK(read("abuses", begin + R"([{"b":1}]})") == read_begin + R"( report=[{"b":1}])");
    CHECK(read("abuses", begin + "null}") == read_begin);
    for (const std::string other : {R"("text")", "1", "true", "false"}) {
        CHECK(read("abuses", begin + other + "}") ==
              read_begin + R"( extra={"report":)" + other + "}");
    }
}

TEST_CASE("what a nested object says beside its fields goes to extra, whole") {
    const std::string begin = R"({"id":1,"timestamp":"2020-01-01 00:00:00","from_address":)";
    const std::string read_begin = "1 2020-01-01 00:00:00";
    struct Case {
        const char* given;
        const char* read;
    };
    const Case cases[] = {
        {R"({"name":"A","email":"a@b.c"})", " from_name=A from_email=a@b.c"},
        {R"({"email":"a@b.c"})", " from_email=a@b.c"},
        {R"({"name":null,"email":"a@b.c"})", " from_email=a@b.c"},
        {R"({})", ""},
        {R"(null)", ""},
        {R"({"name":"A","name":"B"})", " from_name=B"},
        {R"({"name":"A","reply":"x"})",
         R"( from_name=A extra={"from_address":{"name":"A","reply":"x"}})"},
        {R"({"name":7,"email":"a@b.c"})",
         R"( from_email=a@b.c extra={"from_address":{"email":"a@b.c","name":7}})"},
        {R"({"name":{"first":"A"}})", R"( extra={"from_address":{"name":{"first":"A"}}})"},
        {R"("a@b.c")", R"( extra={"from_address":"a@b.c"})"},
        {R"(["a@b.c"])", R"( extra={"from_address":["a@b.c"]})"},
        {R"(5)", R"( extra={"from_address":5})"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.given);
        CHECK(read("mailings", begin + each.given + "}") == read_begin + each.read);
    }
}

TEST_CASE("a text with NUL in it and one of a megabyte are whole") {
    const std::string begin = R"({"ID":1,"timestamp":"2020-01-01 00:00:00",)";
    const Page nul = decode("clicks", begin + R"("link":"a\u0000b"})");
    CHECK(nul.rows.at(0).entries[1].first == std::string_view("a\0b", 3));
    const std::string large(1'000'000, 'x');
    const Page page = decode("abuses", begin + R"("report":{"text":")" + large + R"("}})");
    CHECK(page.rows.at(0).texts[0] == R"({"text":")" + large + R"("})");
}

TEST_CASE("one decoder reads one stream after another") {
    PageDecoder decoder;
    const auto page_of = [&](const Stream& stream) {
        decoder.begin(stream);
        decoder.feed(R"({"data":[{")" + std::string(stream.id) +
                     R"(":5,"timestamp":"2020-01-01 00:00:00"}]})");
        decoder.finish();
        return decoder.take();
    };
    for (int round = 0; round < 2; ++round) {
        for (const Stream& stream : streams()) {
            CAPTURE(std::string(stream.name));
            CHECK(page_of(stream).rows.at(0).id == 5);
        }
    }
    // Of two spellings of the ID, one is the stream's.
    CHECK(read("mailings", R"({"id":1,"ID":2,"timestamp":"2020-01-01 00:00:00"})") ==
          R"(1 2020-01-01 00:00:00 extra={"ID":2})");
    CHECK(read("clicks", R"({"id":1,"ID":2,"timestamp":"2020-01-01 00:00:00"})") ==
          R"(2 2020-01-01 00:00:00 extra={"id":1})");
}

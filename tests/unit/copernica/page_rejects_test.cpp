// Records that cannot be rows: what is kept of them, and why.
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "tests/unit/copernica/decoded.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::tests;

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
         "no usable ID: an object",
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
        {R"(17)", "not an object: a number", {}, false},
        {R"("a\"b")", "not an object: a text", {}, false},
        {R"(null)", "not an object: null", {}, false},
        {R"(false)", "not an object: false", {}, false},
        {R"([{"ID":1},[]])", "not an object: a list", {}, false},
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

#include "core/copernica/twins.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/copernica/page_check.hpp"
#include "core/copernica/page_decoder.hpp"

using namespace mirror;
using namespace mirror::copernica;

namespace {

const Stream& impressions() {
    return *find_stream("impressions");
}

Page decoded(const std::vector<std::string>& records) {
    std::string body;
    for (const std::string& record : records) {
        body += (body.empty() ? "" : ",") + record;
    }
    PageDecoder decoder;
    decoder.begin(impressions());
    decoder.feed(R"({"start":0,"limit":1000,"count":1,"data":[)" + body + "]}");
    decoder.finish();
    Page page = decoder.take();
    set_twins_apart(impressions(), page);
    return page;
}

std::string record(int id, int mailing, const std::string& time = "13:00:00") {
    return R"({"ID":)" + std::to_string(id) + R"(,"mailing":)" + std::to_string(mailing) +
           R"(,"timestamp":"2026-06-01 )" + time + "\"}";
}

std::vector<std::int64_t> ids(const Page& page) {
    std::vector<std::int64_t> all;
    for (const Row& row : page.rows) {
        all.push_back(row.id);
    }
    return all;
}

}  // namespace

TEST_CASE("twins: one is the row, the same one in any order, and the others are rejects") {
    std::vector<std::string> records{record(3, 7), record(5, 9), R"({"ID":"x"})", record(5, 8),
                                     record(5, 8)};
    std::sort(records.begin(), records.end());
    do {
        const Page page = decoded(records);
        REQUIRE(page.rows.size() == 2);
        REQUIRE(page.rejects.size() == 3);
        CHECK(page.records() == records.size());
        CHECK(page.twin == 5);
        const auto row = std::find_if(page.rows.begin(), page.rows.end(),
                                      [](const Row& one) { return one.id == 5; });
        REQUIRE(row != page.rows.end());
        CHECK(row->integers[0] == 8);
        std::vector<std::string> kept;
        for (const Reject& reject : page.rejects) {
            CHECK_FALSE(reject.id.has_value());
            if (reject.time) {
                CHECK(reject.timestamp == "2026-06-01 13:00:00");
                CHECK(reject.reason == "another record has its ID and its time: 5");
                CHECK(records[reject.position].starts_with(R"({"ID":5)"));
                kept.push_back(reject.record);
            }
        }
        std::sort(kept.begin(), kept.end());
        CHECK(kept == std::vector<std::string>{record(5, 8), record(5, 9)});
        CHECK(why_doubtful(page).value_or("").find("the ID 5 twice") != std::string::npos);
        CHECK(std::is_sorted(
            page.rejects.begin(), page.rejects.end(),
            [](const Reject& a, const Reject& b) { return a.position < b.position; }));
    } while (std::next_permutation(records.begin(), records.end()));
}

TEST_CASE("twins: records of other times or other IDs are none") {
    const Page page = decoded({record(9, 1), record(5, 1), record(5, 2, "13:00:01"), record(3, 1)});
    CHECK(ids(page) == std::vector<std::int64_t>{9, 5, 5, 3});
    CHECK(page.rejects.empty());
    CHECK_FALSE(page.twin.has_value());
    CHECK_FALSE(why_doubtful(page).has_value());
}

TEST_CASE("twins: of records without a time, the ID counts once") {
    const Page page =
        decoded({R"({"ID":5,"timestamp":"x"})", record(5, 1), R"({"ID":5,"timestamp":"y"})"});
    REQUIRE(page.rejects.size() == 2);
    CHECK(page.rejects[0].id == 5);
    CHECK_FALSE(page.rejects[1].id.has_value());
    CHECK(page.twin == 5);
    CHECK(ids(page) == std::vector<std::int64_t>{5});
}

#include "core/plan/version_sample.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/times.hpp"

using namespace mirror;
using namespace mirror::plan;
using tests::local;

namespace {

SampledRow row(std::int64_t id, int second, std::optional<std::int64_t> mailing = 7) {
    SampledRow one;
    one.id = id;
    one.time = local("2026-03-01 12:00:00") + Seconds(second);
    one.mailing = mailing;
    return one;
}

std::vector<SampledRow> rows(std::int64_t first, std::int64_t last) {
    std::vector<SampledRow> all;
    for (std::int64_t id = first; id <= last; ++id) {
        all.push_back(row(id, static_cast<int>(id)));
    }
    return all;
}

std::string why(const std::vector<SampledRow>& file, const std::vector<SampledRow>& api,
                bool complete = true) {
    return why_other_rows(*find_stream("clicks"), file, api, complete).value_or("");
}

}  // namespace

TEST_CASE("version sample: what is asked for holds all of its rows") {
    const copernica::PageQuery query = sample_query({row(3, 30), row(1, 10), row(2, 20)}, 500);
    CHECK(query.begintime == local("2026-03-01 12:00:09"));
    CHECK(query.endtime == local("2026-03-01 12:00:31"));
    CHECK(query.limit == 500);
    CHECK(query.total);
}

TEST_CASE("version sample: the same rows, and what may differ") {
    CHECK(why(rows(1, 100), rows(1, 100)) == "");
    // Rows that came late, and a few that the source has dropped.
    CHECK(why(rows(1, 100), rows(1, 150)) == "");
    CHECK(why(rows(1, 100), rows(2, 100)) == "");
    CHECK(why(rows(1, 100), rows(51, 100)) == "");
    CHECK(why(rows(1, 2), {}) == "");
    CHECK(why({}, {}) == "");
    // Only part of what there is has come.
    CHECK(why(rows(1, 100), rows(1000, 2000), false) == "");
    // A mailing that is not there yet.
    CHECK(why({row(1, 1, std::nullopt)}, {row(1, 1)}) == "");
    CHECK(why({row(1, 1)}, {row(1, 1, std::nullopt)}) == "");
    // Two records with one ID.
    CHECK(why({row(1, 1)}, {row(1, 5), row(1, 1)}) == "");
}

TEST_CASE("version sample: other rows are told") {
    CHECK(why({row(1, 1)}, {row(1, 2)}) ==
          "click 1 is of 2026-03-01 12:00:01, mailing 7 in the file, and of 2026-03-01 12:00:02, "
          "mailing 7 there");
    CHECK(why({row(1, 1)}, {row(1, 1, 8)}).find("mailing 8 there") != std::string::npos);
    CHECK(why({row(1, 1)}, {row(1, 1, 8)}, false) != "");
    CHECK(why(rows(1, 100), rows(1001, 1100)) ==
          "of the newest 100 clicks in the file, 100 are not there");
    CHECK(why(rows(1, 100), rows(52, 100)) ==
          "of the newest 100 clicks in the file, 51 are not there");
    CHECK(why(rows(1, 3), {}) == "of the newest 3 clicks in the file, 3 are not there");
}

TEST_CASE("version sample: of a page, with the mailing if the stream has one") {
    copernica::Page page;
    Row one;
    one.id = 5;
    one.time = local("2026-03-01 12:00:00");
    one.integers.at(0) = 9;
    page.rows.push_back(one);
    REQUIRE(sampled(*find_stream("clicks"), page).size() == 1);
    CHECK(sampled(*find_stream("clicks"), page)[0].mailing == 9);
    CHECK(sampled(*find_stream("mailings"), page)[0].mailing == std::nullopt);
    CHECK(sampled(*find_stream("mailings"), page)[0].id == 5);
}

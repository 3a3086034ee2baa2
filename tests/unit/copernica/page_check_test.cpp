#include "core/copernica/page_check.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/times.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::tests;
using namespace std::chrono_literals;

namespace {

struct Reply {
    copernica::PageQuery query;
    Page page;
    Seconds slack{0};

    Reply() {
        query.begintime = local("2026-06-01 10:00:00");
        query.endtime = local("2026-06-01 11:00:00");
        query.limit = 10;
        query.total = true;
        page.start = 0;
        page.limit = 10;
        page.total = 0;
        page.count = 0;
    }
    void row(std::int64_t id, LocalTime time) {
        mirror::Row row;
        row.id = id;
        row.time = time;
        page.rows.push_back(row);
        page.total = page.count = page.records();
    }
    void reject(std::optional<std::int64_t> id, std::optional<LocalTime> time) {
        Reject unusable;
        unusable.position = page.records();
        unusable.id = id;
        unusable.time = time;
        page.rejects.push_back(unusable);
        page.total = page.count = page.records();
    }
    bool right() const { return !why_invalid(query, page, slack); }
};

}  // namespace

TEST_CASE("an envelope must fit the question") {
    CHECK(Reply().right());
    const auto wrong = [](auto&& change) {
        Reply reply;
        reply.row(1, local("2026-06-01 10:30:00"));
        reply.row(2, local("2026-06-01 10:30:00"));
        CHECK(reply.right());
        change(reply);
        CHECK_FALSE(reply.right());
    };
    wrong([](Reply& reply) { reply.page.start.reset(); });
    wrong([](Reply& reply) { reply.page.limit.reset(); });
    wrong([](Reply& reply) { reply.page.count.reset(); });
    wrong([](Reply& reply) { reply.page.total.reset(); });
    wrong([](Reply& reply) { reply.page.start = 1; });
    wrong([](Reply& reply) { reply.query.start = 1; });
    wrong([](Reply& reply) { reply.page.limit = 11; });
    wrong([](Reply& reply) { reply.page.count = 1; });
    wrong([](Reply& reply) { reply.page.count = 3; });
    wrong([](Reply& reply) { reply.page.total = 1; });
    wrong([](Reply& reply) { reply.page.total = 0; });
    wrong([](Reply& reply) { reply.query.limit = 1, reply.page.limit = 1; });
    wrong([](Reply& reply) { reply.page.rows.clear(), reply.page.count = 0; });

    Reply reply;
    reply.row(1, local("2026-06-01 10:30:00"));
    reply.page.limit = 5;
    reply.page.total = std::numeric_limits<std::uint64_t>::max();
    CHECK(reply.right());
    reply.query.total = false;
    reply.page.total.reset();
    CHECK(reply.right());
    reply.page.total = 0;  // not asked for
    CHECK(reply.right());

    Reply behind_the_end;
    behind_the_end.query.start = 7;
    behind_the_end.page.start = 7;
    behind_the_end.page.total = 7;
    CHECK(behind_the_end.right());
    behind_the_end.page.total = 8;
    CHECK_FALSE(behind_the_end.right());
}

TEST_CASE("timestamps lie inside of what was asked, with both ends, and the slack around") {
    struct Line {
        const char* time;
        Seconds slack;
        bool right;
    };
    const Line lines[] = {
        {"2026-06-01 10:00:00", 0s, true},  {"2026-06-01 11:00:00", 0s, true},
        {"2026-06-01 09:59:59", 0s, false}, {"2026-06-01 11:00:01", 0s, false},
        {"2026-06-01 09:00:00", 1h, true},  {"2026-06-01 12:00:00", 1h, true},
        {"2026-06-01 08:59:59", 1h, false}, {"2026-06-01 12:00:01", 1h, false},
    };
    for (const Line& line : lines) {
        CAPTURE(line.time);
        Reply row;
        row.slack = line.slack;
        row.row(1, local(line.time));
        CHECK(row.right() == line.right);
        Reply reject;
        reject.slack = line.slack;
        reject.reject(std::nullopt, local(line.time));
        CHECK(reject.right() == line.right);
    }
}

TEST_CASE("more than one record in a hundred, or three in all, that are unusable are doubted") {
    struct Line {
        int rows;
        int rejects;
        bool right;
    };
    const Line lines[] = {{0, 3, true},   {0, 4, false},  {300, 3, true},  {300, 4, false},
                          {396, 4, true}, {995, 5, true}, {990, 10, true}, {989, 11, false}};
    for (const Line& line : lines) {
        CAPTURE(line.rows);
        Reply reply;
        reply.query.limit = 1000;
        for (int i = 0; i < line.rows; ++i) {
            reply.row(i + 1, local("2026-06-01 10:30:00"));
        }
        for (int i = 0; i < line.rejects; ++i) {
            reply.reject(std::nullopt, std::nullopt);
            reply.page.rejects.back().record = std::to_string(i);
        }
        CHECK(reply.right());
        CHECK(!why_doubtful(reply.page).has_value() == line.right);
    }
}

TEST_CASE("an unusable record that stands twice in a reply may stand in the place of another") {
    const auto is_doubtful = [](const std::vector<Reject>& rejects) {
        Page page;
        page.rejects = rejects;
        return why_doubtful(page).has_value();
    };
    Reject one;
    one.record = R"({"ID":null,"note":1})";
    Reject other;
    other.record = R"({"ID":null,"note":2})";
    CHECK(is_doubtful({one, other, one}));
    CHECK_FALSE(is_doubtful({one, other}));
    CHECK_FALSE(is_doubtful({one}));
}

TEST_CASE("unusable records are compared by what they are, in any order") {
    const auto page_of = [](const std::vector<std::string>& records) {
        Page page;
        for (const std::string& record : records) {
            Reject reject;
            reject.record = record;
            page.rejects.push_back(reject);
        }
        return page;
    };
    CHECK(same_unusable(page_of({"a", "b"}), page_of({"b", "a"})));
    CHECK(same_unusable(page_of({}), page_of({})));
    CHECK_FALSE(same_unusable(page_of({"a", "a"}), page_of({"a", "b"})));
    CHECK_FALSE(same_unusable(page_of({"a"}), page_of({"a", "a"})));
}

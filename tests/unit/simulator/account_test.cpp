#include "tests/simulator/account.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/simulator/encode.hpp"
#include "tests/simulator/generate.hpp"
#include "tests/support/times.hpp"

using namespace simulator;
using mirror::Instant;
using mirror::Seconds;
using mirror::tests::local;
using mirror::tests::utc;

namespace {

void add(Account& account, std::int64_t id, Instant at) {
    Row row;
    row.id = id;
    row.at = at;
    account.add(row);
}

std::vector<std::int64_t> ids(const Account& account, const Selection& selection,
                              std::uint64_t start = 0, std::uint64_t limit = 1000) {
    std::vector<std::int64_t> result;
    account.read(selection, start, limit, [&](const RowView& row) { result.push_back(row.id); });
    return result;
}

using Ids = std::vector<std::int64_t>;

std::uint64_t digest(const std::string& text) {
    std::uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a
    for (const char byte : text) {
        hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
    }
    return hash;
}

}  // namespace

TEST_CASE("simulator: bounds, each of four meanings, in each order") {
    Account account("UTC");
    const Instant noon = utc("2026-01-10 12:00:00");
    for (std::int64_t i = 0; i < 5; ++i) {
        add(account, 10 - i, noon + Seconds(i));  // IDs against time
    }
    Selection selection;
    selection.begin = local("2026-01-10 12:00:01");
    selection.end = local("2026-01-10 12:00:03");
    struct Case {
        Bound begin, end;
        Ids by_time;
    };
    const Case cases[] = {
        {Bound::exclusive, Bound::exclusive, {8}},
        {Bound::inclusive, Bound::exclusive, {9, 8}},
        {Bound::exclusive, Bound::inclusive, {8, 7}},
        {Bound::inclusive, Bound::inclusive, {9, 8, 7}},
    };
    for (const Reading reading : {Reading::text, Reading::instant}) {
        for (const Case& expected : cases) {
            selection.reading = reading;
            selection.begin_bound = expected.begin;
            selection.end_bound = expected.end;
            selection.order = Order::by_time;
            CHECK(ids(account, selection) == expected.by_time);

            const Ids reversed(expected.by_time.rbegin(), expected.by_time.rend());
            selection.order = Order::by_time_descending;
            CHECK(ids(account, selection) == reversed);
            selection.order = Order::by_id;
            CHECK(ids(account, selection) == reversed);

            for (const Order order : {Order::shuffled, Order::shuffled_each_request}) {
                selection.order = order;
                Ids shuffled = ids(account, selection);
                CHECK(shuffled == ids(account, selection));
                std::sort(shuffled.begin(), shuffled.end());
                CHECK(shuffled == reversed);
            }
        }
    }
}

TEST_CASE("simulator: the shuffled order that changes does change, the other does not") {
    Account account("UTC");
    for (std::int64_t id = 1; id <= 50; ++id) {
        add(account, id, utc("2026-01-10 12:00:00") + Seconds(id));
    }
    Selection selection;
    selection.order = Order::shuffled_each_request;
    const Ids first = ids(account, selection);
    selection.salt = 1;
    CHECK(ids(account, selection) != first);
    selection.order = Order::shuffled;
    const Ids stable = ids(account, selection);
    selection.salt = 2;
    CHECK(ids(account, selection) == stable);
}

TEST_CASE("simulator: pages by offset, in every order, hold every row once") {
    Account account;
    Generation generation;
    generation.rows = 250;
    generation.period = {utc("2026-01-01 00:00:00"), utc("2026-02-01 00:00:00")};
    generate(account, generation);
    Selection selection;
    selection.now = generation.period.end;
    for (const Order order :
         {Order::by_time, Order::by_time_descending, Order::by_id, Order::shuffled}) {
        selection.order = order;
        Ids all;
        for (std::uint64_t start = 0; start < 300; start += 30) {
            const Ids page = ids(account, selection, start, 30);
            all.insert(all.end(), page.begin(), page.end());
        }
        CHECK(all == ids(account, selection));
        CHECK(all.size() == 250);
    }
    CHECK(account.read(selection, 1000, 10, [](const RowView&) { FAIL("no such row"); }) == 250);
}

TEST_CASE("simulator: rows come, change and go") {
    Account account("UTC");
    const Instant noon = utc("2026-01-10 12:00:00");
    Row late;
    late.id = 2;
    late.at = noon + Seconds(2);
    late.visible_from = noon + Seconds(60);
    account.add(late);
    add(account, 3, noon + Seconds(3));
    add(account, 1, noon + Seconds(1));

    Selection selection;
    selection.now = noon + Seconds(59);
    CHECK(ids(account, selection) == Ids{1, 3});
    CHECK(account.truth(selection.now).size() == 2);
    selection.now += Seconds(1);
    CHECK(ids(account, selection) == Ids{1, 2, 3});

    CHECK(account.change(3, [&](Row& row) {
        row.at = noon;
        row.profile = 7;
        row.useragent = "new";
    }));
    CHECK(ids(account, selection) == Ids{3, 1, 2});
    CHECK(account.truth(selection.now).at(2).profile == 7);
    CHECK(account.truth(selection.now).at(2).timestamp == "2026-01-10 12:00:00");
    CHECK(account.remove(1));
    CHECK_FALSE(account.remove(1));
    CHECK_FALSE(account.change(1, [](Row&) {}));
    CHECK(ids(account, selection) == Ids{3, 2});
    CHECK(account.size() == 2);
}

TEST_CASE("simulator: malformed records are not part of the truth") {
    Account account("UTC");
    Row row;
    row.id = 1;
    row.at = utc("2026-01-10 12:00:00");
    row.timestamp = "yesterday";
    account.add(row);
    row.timestamp.reset();
    row.id = 2;
    row.raw = R"({"ID":"abc"})";
    account.add(row);
    row.id = 3;
    row.raw = R"({"ID":3,"timestamp":"2026-01-10 12:00:00","profile":"x"})";
    row.raw_is_row = true;
    account.add(row);
    const auto truth = account.truth(row.at);
    REQUIRE(truth.size() == 1);
    CHECK(truth[0].id == 3);
    CHECK(account.malformed(row.at) == 2);
}

TEST_CASE("simulator: what is invalid UTF-8 is known as what will be sent") {
    Account account("UTC");
    Row row;
    row.id = 1;
    row.useragent = "a\xff\xc3(\xed\xa0\x80";
    account.add(row);
    CHECK(account.truth(row.at).at(0).useragent ==
          "a\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_CASE("simulator: bounds in the autumn hour that comes twice") {
    Account account("Europe/Amsterdam");
    add(account, 1, utc("2026-10-25 00:30:00"));  // 02:30, the first time
    add(account, 2, utc("2026-10-25 01:30:00"));  // 02:30, the second time
    Selection selection;
    selection.begin = local("2026-10-25 02:15:00");
    selection.end = local("2026-10-25 02:45:00");
    CHECK(ids(account, selection) == Ids{1, 2});
    selection.reading = Reading::instant;
    CHECK(ids(account, selection) == Ids{1});
    selection.repeated = Repeated::second;
    CHECK(ids(account, selection) == Ids{2});
    selection.begin = local("2026-10-25 01:59:59");
    selection.end = local("2026-10-25 03:00:00");
    CHECK(ids(account, selection) == Ids{1, 2});
    CHECK(account.truth(utc("2026-11-01 00:00:00")).at(1).timestamp == "2026-10-25 02:30:00");
}

TEST_CASE("simulator: bounds in the spring hour that does not exist") {
    Account account("Europe/Amsterdam");
    add(account, 1, utc("2027-03-28 00:59:59"));  // 01:59:59
    add(account, 2, utc("2027-03-28 01:00:00"));  // 03:00:00
    add(account, 3, utc("2027-03-28 01:30:00"));  // 03:30:00
    Selection selection;
    selection.begin = local("2027-03-28 02:30:00");
    selection.begin_bound = Bound::inclusive;
    for (const Reading reading : {Reading::text, Reading::instant}) {
        selection.reading = reading;
        selection.gap = Gap::forward;
        CHECK(ids(account, selection) == Ids{3});
        selection.gap = Gap::literal;
        CHECK(ids(account, selection) == Ids{2, 3});
    }
}

TEST_CASE("simulator: generated rows are the same for the same seed, and ordered as logged") {
    Generation generation;
    generation.rows = 2000;
    generation.period = {utc("2026-01-01 00:00:00"), utc("2026-03-01 00:00:00")};
    generation.late_share = 0.1;
    for (const Shape shape : {Shape::steady, Shape::bursty, Shape::seconds}) {
        generation.shape = shape;
        Account account;
        generate(account, generation);
        Account same;
        generate(same, generation);
        const Instant after = generation.period.end + generation.latest_by;
        const auto truth = account.truth(after);
        CHECK(truth == same.truth(after));
        CHECK(truth.size() == 2000);
        CHECK(truth.front().id == 1);
        CHECK(truth.back().id == 2000);
    }
}

TEST_CASE("simulator: the rows of a seed stay what they always were") {
    struct Case {
        Shape shape;
        double late_share;
        std::uint64_t digest;
    };
    const Case cases[] = {
        {Shape::steady, 0, 1349248088969733670U},
        {Shape::bursty, 0.2, 816539881857251611U},
        {Shape::seconds, 0, 15671319718038559141U},
    };
    for (const Case& expected : cases) {
        Account account;
        Generation generation;
        generation.shape = expected.shape;
        generation.late_share = expected.late_share;
        generation.rows = 1000;
        generation.period = {utc("2026-01-01 00:00:00"), utc("2026-03-01 00:00:00")};
        generate(account, generation);
        Behaviour behaviour;
        std::string records;
        Selection selection;
        selection.now = generation.period.end;
        account.read(selection, 0, 1000, [&](const RowView& row) {
            append_record(records, StreamId::impressions, row, behaviour);
        });
        CHECK(digest(records) == expected.digest);
    }
}

TEST_CASE("simulator: bursts fill single seconds") {
    Account account;
    Generation generation;
    generation.shape = Shape::seconds;
    generation.rows = 30;
    generation.burst = 10;
    generation.period = {utc("2026-01-01 00:00:00"), utc("2026-03-01 00:00:00")};
    generate(account, generation);
    std::map<std::string, int> seconds;
    for (const TrueRow& row : account.truth(generation.period.end)) {
        ++seconds[row.timestamp];
    }
    CHECK(seconds.size() == 3);
    CHECK(seconds.begin()->second == 10);
}

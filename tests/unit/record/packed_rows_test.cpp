// What is packed is what was given, in little memory.
#include "core/record/packed_rows.hpp"

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/impression.hpp"

using namespace mirror;
using namespace mirror::tests;

namespace {

using Integer = std::optional<std::int64_t>;
using Text = std::optional<std::string>;

// A row with texts of its own.
struct Kept {
    std::int64_t id = 1;
    std::int64_t time = 0;
    Integer mailing, destination, profile, subprofile;
    Text ip, useragent, device, extra;
    friend bool operator==(const Kept&, const Kept&) = default;
};

std::optional<std::string_view> view(const Text& text) {
    return text ? std::optional<std::string_view>(*text) : std::nullopt;
}

Text copy(const std::optional<std::string_view>& text) {
    return text ? Text(std::string(*text)) : std::nullopt;
}

// The texts of what it gives are those of `kept`.
Row row_of(const Kept& kept) {
    Impression row;
    row.id = kept.id;
    row.time = LocalTime(Seconds(kept.time));
    row.mailing = kept.mailing;
    row.destination = kept.destination;
    row.profile = kept.profile;
    row.subprofile = kept.subprofile;
    row.ip = view(kept.ip);
    row.useragent = view(kept.useragent);
    row.device = view(kept.device);
    row.extra = view(kept.extra);
    return tests::row_of(row);
}

std::vector<Kept> read(const PackedRows& rows) {
    std::vector<Kept> all;
    PackedRows::Reader reader = rows.read();
    while (const Row* const each = reader.next()) {
        const Impression row = impression_of(*each);
        Kept kept;
        kept.id = row.id;
        kept.time = row.time.time_since_epoch().count();
        kept.mailing = row.mailing;
        kept.destination = row.destination;
        kept.profile = row.profile;
        kept.subprofile = row.subprofile;
        kept.ip = copy(row.ip);
        kept.useragent = copy(row.useragent);
        kept.device = copy(row.device);
        kept.extra = copy(row.extra);
        const Entry& agent = rows.entries(slot::agent)[reader.entry(slot::agent)];
        CHECK(agent.first == row.useragent);
        CHECK(agent.second == row.device);
        all.push_back(kept);
    }
    return all;
}

// The texts given are gone once they were added, as those of a page are.
void add(PackedRows& rows, std::vector<Kept> page) {
    std::vector<Row> views;
    for (const Kept& kept : page) {
        views.push_back(row_of(kept));
    }
    rows.add(views);
    for (Kept& kept : page) {
        for (Text* const text : {&kept.ip, &kept.useragent, &kept.device, &kept.extra}) {
            if (*text) {
                (*text)->assign((*text)->size(), '#');
            }
        }
    }
}

Integer any_integer(std::mt19937_64& random) {
    constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
    constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();
    switch (random() % 8) {
        case 0:
            return std::nullopt;
        case 1:
            return least;
        case 2:
            return greatest;
        case 3:
            return static_cast<std::int64_t>(random());
        default:
            return static_cast<std::int64_t>(random() % 100'000) - 50'000;
    }
}

Text any_text(std::mt19937_64& random) {
    switch (random() % 8) {
        case 0:
            return std::nullopt;
        case 1:
            return "";
        case 2:
            return std::string("\0a\xFF", 3);
        case 3:
            return std::string(random() % 300, 'x');
        default:
            return "text " + std::to_string(random() % 20);
    }
}

}  // namespace

TEST_CASE("rows come out of the pack as they went in, whatever they hold") {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        PackedRows rows;
        std::vector<Kept> expected;
        for (int page = 0; page < 4; ++page) {
            std::vector<Kept> some;
            for (std::uint64_t i = random() % 300; i > 0; --i) {
                Kept kept;
                kept.id = any_integer(random).value_or(7);
                kept.time = any_integer(random).value_or(0);
                kept.mailing = any_integer(random);
                kept.destination = any_integer(random);
                kept.profile = any_integer(random);
                kept.subprofile = any_integer(random);
                kept.ip = any_text(random);
                kept.useragent = any_text(random);
                kept.device = any_text(random);
                kept.extra = any_text(random);
                some.push_back(kept);
            }
            expected.insert(expected.end(), some.begin(), some.end());
            add(rows, some);
        }
        CHECK(rows.size() == expected.size());
        CHECK(read(rows) == expected);
        rows.seal();
        const PackedRows moved = std::move(rows);
        CHECK(read(moved) == expected);
    }
}

TEST_CASE("a row larger than all others is kept whole") {
    PackedRows rows;
    Kept small;
    Kept large;
    large.extra = std::string(100'000, 'e');
    large.ip = std::string(70'000, 'i');
    large.useragent = std::string(90'000, 'u');
    add(rows, {small, large, small, large});
    CHECK(read(rows) == std::vector<Kept>{small, large, small, large});
}

TEST_CASE("a pair of user agent and device is kept once, wherever its texts stood") {
    PackedRows rows;
    const Text agents[] = {std::nullopt, "", "A", "B"};
    for (int round = 0; round < 3; ++round) {
        std::vector<Kept> page;
        for (const Text& useragent : agents) {
            for (const Text& device : agents) {
                Kept kept;
                kept.useragent = useragent;
                kept.device = device;
                page.push_back(kept);
                page.push_back(kept);
            }
        }
        add(rows, page);
        CHECK(rows.entries(slot::agent).size() == 16);
    }
    // The same place with other bytes in it is another user agent.
    std::string place = "first agent";
    Row row = row_of(Kept{});
    row.entries[slot::agent].first = place;
    rows.add({&row, 1});
    place = "other agent";
    rows.add({&row, 1});
    CHECK(rows.entries(slot::agent).size() == 18);
    CHECK(read(rows).back().useragent == "other agent");
}

TEST_CASE("what was taken out is not read, and counts no more") {
    PackedRows rows;
    std::vector<Kept> page(5);
    for (std::size_t i = 0; i < page.size(); ++i) {
        page[i].id = static_cast<std::int64_t>(10 * i);
        page[i].mailing = page[i].id + 1;
    }
    add(rows, page);
    for (const std::size_t place : {4U, 0U, 2U, 2U}) {
        rows.remove(place);
    }
    CHECK(rows.size() == 2);
    CHECK(rows.added() == 5);
    CHECK(read(rows) == std::vector<Kept>{page[1], page[3]});
    add(rows, {page[0]});
    CHECK(rows.size() == 3);
    CHECK(read(rows) == std::vector<Kept>{page[1], page[3], page[0]});
}

TEST_CASE("texts in a pool are not copied, and the pool is kept") {
    PackedRows rows;
    std::vector<const char*> places;
    for (int page = 0; page < 2; ++page) {
        const auto pool = std::make_shared<TextPool>();
        std::vector<Row> some;
        for (const char* const agent : {"A", "B", "A", ""}) {
            Row row = row_of(Kept{});
            row.entries[slot::agent].first = pool->keep(agent);
            some.push_back(row);
        }
        some.push_back(row_of(Kept{}));
        rows.add(some, pool);
        rows.add(some, pool);
        places.push_back(pool->find("A")->data());
    }
    // The second page had a pool of its own. Absent and empty texts are the same everywhere.
    CHECK(rows.entries(slot::agent).size() == 4 + 2);
    const std::vector<Kept> held = read(rows);
    REQUIRE(held.size() == 20);
    for (std::size_t i = 0; i < held.size(); ++i) {
        const char* const agents[] = {"A", "B", "A", ""};
        CHECK(held[i].useragent == (i % 5 < 4 ? Text(agents[i % 5]) : std::nullopt));
    }
    CHECK(rows.entries(slot::agent)[0].first->data() == places[0]);
}

#include "core/plan/statistics_audit.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace mirror;
using namespace mirror::plan;

namespace {

constexpr std::int64_t day = 24 * 3600;

Instant at(std::int64_t seconds) {
    return Instant(Seconds(seconds));
}

Window window(std::int64_t begin, std::int64_t end) {
    return {at(begin), at(end)};
}

WindowSet covered(const std::vector<Window>& windows) {
    WindowSet set;
    for (const Window& one : windows) {
        set.add(one);
    }
    return set;
}

ComparableStream stream(const std::vector<Window>& windows,
                        std::optional<Instant> shown_from = std::nullopt) {
    return {covered(windows), shown_from};
}

const Stream& opens = *find_stream("impressions");
const Stream& clicks = *find_stream("clicks");

MailingCount in_file(std::uint64_t total, std::uint64_t unique,
                     std::uint64_t without_destination = 0) {
    MailingCount count;
    count.total = total;
    count.unique = unique;
    count.without_destination = without_destination;
    return count;
}

// "total 3:2 unique 1:0", the API's number first.
std::string differing(const copernica::EventCount& api, const MailingCount& file) {
    std::string text;
    for (const StatisticsDifference& difference : differences_of(7, opens, api, file)) {
        CHECK(difference.mailing == 7);
        CHECK(difference.stream == &opens);
        text += (text.empty() ? "" : " ") + std::string(difference.of_unique ? "unique" : "total") +
                " " + std::to_string(difference.api) + ":" + std::to_string(difference.file);
    }
    return text;
}

}  // namespace

TEST_CASE("statistics: the period in which all streams are complete") {
    struct Example {
        const char* what;
        std::vector<ComparableStream> streams;
        std::optional<Instant> from;
        Instant to;
        Window window;
        std::vector<WindowSet> uncovered;
    };
    const Instant latest = at(1000 * day);
    const WindowSet none;
    const std::vector<Example> examples{
        {"one stream", {stream({window(10, 90)})}, {}, latest, window(10, 90), {none}},
        {"the later begin, the earlier end",
         {stream({window(10, 90)}), stream({window(30, 80)})},
         {},
         latest,
         window(30, 80),
         {none, none}},
        {"--to", {stream({window(10, 90)})}, {}, at(50), window(10, 50), {none}},
        {"--from", {stream({window(10, 90)})}, at(20), latest, window(20, 90), {none}},
        {"--from before the begin",
         {stream({window(10, 90)}), stream({window(0, 90)})},
         at(5),
         latest,
         window(5, 90),
         {covered({window(5, 10)}), none}},
        {"a gap: what follows it is compared, and the gap is told",
         {stream({window(10, 40), window(50, 90)})},
         {},
         latest,
         window(50, 90),
         {covered({window(40, 50)})}},
        {"a gap, and --from before it: not compared",
         {stream({window(10, 40), window(50, 90)})},
         at(20),
         latest,
         window(20, 90),
         {covered({window(40, 50)})}},
        {"the horizon",
         {stream({window(10, 90)}, at(60)), stream({window(10, 90)})},
         {},
         latest,
         window(60, 90),
         {none, none}},
        {"the horizon after --from",
         {stream({window(10, 90)}, at(60))},
         at(20),
         latest,
         window(60, 90),
         {none}},
        {"a gap before the horizon is none",
         {stream({window(10, 30), window(50, 90)}, at(60))},
         {},
         latest,
         window(60, 90),
         {none}},
        {"a stream that is nowhere complete",
         {stream({window(10, 90)}), stream({})},
         {},
         latest,
         window(10, 90),
         {none, covered({window(10, 90)})}},
        {"a stream that has stopped long ago keeps nobody back",
         {stream({window(10, 5 * day)}), stream({window(10, 3 * day)})},
         {},
         latest,
         window(10, 5 * day),
         {none, covered({window(3 * day, 5 * day)})}},
        {"one that is a day behind does",
         {stream({window(10, 5 * day)}), stream({window(10, 4 * day)})},
         {},
         latest,
         window(10, 4 * day),
         {none, none}},
        {"nothing", {stream({})}, {}, latest, {}, {none}},
        {"nothing of what was asked for", {stream({window(10, 90)})}, at(100), at(200), {}, {none}},
        {"nothing before --to",
         {stream({window(60, 90)})},
         at(20),
         at(50),
         {},
         {covered({window(20, 50)})}},
        {"nothing that the API shows", {stream({window(10, 90)}, at(95))}, {}, latest, {}, {none}},
    };
    for (const Example& example : examples) {
        CAPTURE(example.what);
        const StatisticsPeriod period =
            statistics_period(example.streams, example.from, example.to);
        CHECK(
            (period.window == example.window || (period.window.empty() && example.window.empty())));
        REQUIRE(period.uncovered.size() == example.uncovered.size());
        for (std::size_t i = 0; i < example.uncovered.size(); ++i) {
            CAPTURE(i);
            CHECK((period.uncovered[i] == example.uncovered[i]));
        }
    }
}

TEST_CASE("statistics: what differs") {
    using Api = copernica::EventCount;
    struct Example {
        Api api;
        MailingCount file;
        std::string expected;
    };
    const std::vector<Example> examples{
        {Api{0, 0}, in_file(0, 0), ""},
        {Api{5, 3}, in_file(5, 3), ""},
        {Api{5, std::nullopt}, in_file(5, 3), ""},  // the API has no such number
        {Api{5, 3}, in_file(4, 3), "total 5:4"},
        {Api{5, 3}, in_file(6, 3), "total 5:6"},
        {Api{5, 3}, in_file(5, 2), "unique 3:2"},
        {Api{5, 3}, in_file(5, 4), "unique 3:4"},
        {Api{5, 3}, in_file(4, 2), "total 5:4 unique 3:2"},
        {Api{0, 0}, in_file(2, 1), "total 0:2 unique 0:1"},
        // Those without a destination: not counted, counted as one, or each for itself.
        {Api{9, 3}, in_file(9, 3, 2), ""},
        {Api{9, 4}, in_file(9, 3, 2), ""},
        {Api{9, 5}, in_file(9, 3, 2), ""},
        {Api{9, 6}, in_file(9, 3, 2), "unique 6:3"},
        {Api{9, 2}, in_file(9, 3, 2), "unique 2:3"},
    };
    for (const Example& example : examples) {
        CHECK(differing(example.api, example.file) == example.expected);
    }
}

TEST_CASE("statistics: what records without a known mailing explain") {
    struct Example {
        std::vector<StatisticsDifference> differences;
        std::uint64_t unattributed;
        std::size_t left;
        std::uint64_t more;  // explained; 0: nothing is
    };
    const StatisticsDifference two_more{1, &opens, false, 12, 10};
    const StatisticsDifference one_destination_more{1, &opens, true, 4, 3};
    const StatisticsDifference three_destinations_more{1, &opens, true, 6, 3};
    const StatisticsDifference other_mailing{2, &opens, false, 5, 4};
    const StatisticsDifference less{3, &opens, false, 4, 5};
    const StatisticsDifference of_clicks{1, &clicks, false, 12, 10};
    const StatisticsDifference fewer_destinations{1, &opens, true, 2, 3};
    const std::vector<Example> examples{
        {{}, 5, 0, 0},
        {{two_more}, 0, 1, 0},
        {{two_more}, 1, 1, 0},
        {{two_more}, 2, 0, 2},
        {{two_more}, 9, 0, 2},
        {{two_more, one_destination_more}, 2, 0, 2},
        {{two_more, three_destinations_more}, 9, 2, 0},  // two events have two at the most
        {{one_destination_more}, 9, 1, 0},               // and none has none
        {{two_more, fewer_destinations}, 9, 2, 0},
        {{less}, 9, 1, 0},
        {{two_more, other_mailing}, 3, 0, 3},
        {{two_more, other_mailing}, 2, 2, 0},  // one of them is not explained, and which?
        {{two_more, less}, 2, 1, 2},
        {{of_clicks}, 9, 1, 0},
        {{of_clicks, two_more}, 2, 1, 2},
    };
    for (std::size_t i = 0; i < examples.size(); ++i) {
        CAPTURE(i);
        const Example& example = examples[i];
        std::vector<StatisticsDifference> differences = example.differences;
        const auto explained = take_explained(differences, opens, example.unattributed);
        CHECK(differences.size() == example.left);
        CHECK(explained.has_value() == (example.more > 0));
        if (explained) {
            CHECK(explained->more == example.more);
            CHECK(explained->records == example.unattributed);
            CHECK(explained->stream == &opens);
        }
    }
}

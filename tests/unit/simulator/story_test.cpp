#include "tests/simulator/story.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "tests/simulator/answer.hpp"
#include "tests/simulator/generate.hpp"
#include "tests/simulator/live.hpp"
#include "tests/support/times.hpp"

using namespace simulator;
using mirror::Instant;
using mirror::Seconds;
using mirror::tests::utc;

namespace {

using Pair = std::pair<std::int64_t, std::int64_t>;  // mailing and destination

constexpr std::uint64_t everything = 1'000'000;

Selection all_of(Instant at) {
    Selection selection;
    selection.now = at;
    return selection;
}

// Where a row of the stream has its destination; its mailing is its first cell.
std::size_t destination_cell(StreamId stream) {
    std::size_t cell = 0;
    for (const Field& field : facts_of(stream).fields) {
        if (field.name == "destination") {
            break;
        }
        cell += field.form == FieldForm::id || field.form == FieldForm::timestamp ? 0 : 1;
    }
    return cell;
}

// When each destination appears first in the stream.
std::map<Pair, Instant> first_times(const Account& account, StreamId stream) {
    std::map<Pair, Instant> times;
    const std::size_t cell = destination_cell(stream);
    account.of(stream).read(all_of(Instant::max()), 0, everything, [&](const RowView& row) {
        const auto [known, is_new] =
            times.try_emplace({row.cells[0].number, row.cells[cell].number}, row.at);
        known->second = std::min(known->second, row.at);
    });
    return times;
}

// Each of the later ones has an earlier one before it.
void check_follows(const std::map<Pair, Instant>& later, const std::map<Pair, Instant>& earlier) {
    for (const auto& [who, at] : later) {
        const auto before = earlier.find(who);
        REQUIRE(before != earlier.end());
        CHECK(before->second <= at);
    }
}

Generation usual() {
    Generation generation;
    generation.rows = 3000;
    generation.rows_per_mailing = 500;
    generation.period = {utc("2026-01-01 00:00:00"), utc("2026-03-01 00:00:00")};
    return generation;
}

}  // namespace

TEST_CASE("simulator: streams tell one story") {
    for (const Shape shape : {Shape::bursty, Shape::steady, Shape::seconds}) {
        Account account;
        Generation generation = usual();
        generation.shape = shape;
        generate(account, generation);
        const auto opens_before = account.truth(Instant::max());
        Story story;
        story.size = {10'000, 200, 700, 60, 20};
        story.end = generation.period.end;
        tell(account, story);
        CHECK(account.truth(Instant::max()) == opens_before);
        CHECK(account.of(StreamId::deliveries).size() == 10'000);
        CHECK(account.of(StreamId::errors).size() == 200);
        CHECK(account.of(StreamId::clicks).size() == 700);
        CHECK(account.of(StreamId::unsubscribes).size() == 60);
        CHECK(account.of(StreamId::abuses).size() == 20);

        const auto deliveries = first_times(account, StreamId::deliveries);
        const auto errors = first_times(account, StreamId::errors);
        const auto opens = first_times(account, StreamId::impressions);
        const auto clicks = first_times(account, StreamId::clicks);
        CHECK(deliveries.size() == 10'000);  // nobody gets a mail twice
        check_follows(opens, deliveries);
        check_follows(clicks, opens);
        check_follows(first_times(account, StreamId::unsubscribes), clicks);
        check_follows(first_times(account, StreamId::abuses), opens);
        std::map<std::int64_t, std::int64_t> mails;
        for (const auto& [who, at] : errors) {
            CHECK_FALSE(deliveries.contains(who));
        }
        for (const auto* sent : {&deliveries, &errors}) {
            for (const auto& [who, at] : *sent) {
                ++mails[who.first];
            }
        }
        account.of(StreamId::mailings)
            .read(all_of(Instant::max()), 0, everything, [&](const RowView& row) {
                CHECK(mails.at(row.id) == row.cells[4].number);
                CHECK(row.at <= story.end);
                mails.erase(row.id);
            });
        CHECK(mails.empty());
    }
}

TEST_CASE("simulator: a story is the same for the same seed, IDs count in each stream as logged") {
    const auto told = [](std::uint64_t seed) {
        Account account;
        generate(account, usual());
        Story story;
        story.seed = seed;
        story.late_share = 0.2;
        story.latest_by = std::chrono::hours(24 * 90);
        story.end = usual().period.end;
        tell(account, story);
        std::vector<std::vector<Values>> all;
        for (const StreamId stream : all_streams) {
            all.push_back(account.of(stream).truth(Instant::max()));
            const auto& rows = all.back();
            CHECK(rows.size() < 50'000);
            if (stream != StreamId::mailings) {
                CHECK(rows.front().front() == Value(std::int64_t{1}));
                CHECK(rows.back().front() == Value(static_cast<std::int64_t>(rows.size())));
            }
        }
        CHECK(all.at(2).size() == 30'000);
        CHECK(account.of(StreamId::deliveries).truth(story.end).size() < 30'000);
        return all;
    };
    const auto first = told(1);
    CHECK(first == told(1));
    CHECK(first != told(2));
}

TEST_CASE("simulator: an account without opens has no story") {
    Account account;
    tell(account, {});
    for (const StreamId stream : all_streams) {
        CHECK(account.of(stream).size() == 0);
    }
}

TEST_CASE("simulator: statistics and consumption are of the same story") {
    Account account;
    generate(account, usual());
    Story story;
    story.size = {5000, 100, 500, 50, 10};
    story.end = usual().period.end;
    tell(account, story);
    const Behaviour behaviour;
    const auto body = [&](const std::string& path, std::map<std::string, std::string> parameters,
                          std::uint64_t calls = 0) {
        Request request;
        request.method = "GET";
        request.path = path;
        request.parameters = std::move(parameters);
        request.parameters.emplace("access_token", behaviour.token);
        understand(request, behaviour);
        request.api_calls = calls;
        return answer(request, account, behaviour, {}, Instant::max()).reply.body;
    };
    std::map<StreamId, std::uint64_t> totals;
    std::map<StreamId, std::set<std::int64_t>> destinations;
    constexpr std::int64_t mailing = 400;
    for (const StreamId stream : all_streams) {
        account.of(stream).read(all_of(Instant::max()), 0, everything, [&](const RowView& row) {
            if (stream != StreamId::mailings && row.cells[0].number == mailing) {
                ++totals[stream];
                destinations[stream].insert(row.cells[destination_cell(stream)].number);
            }
        });
    }
    const auto both = [&](const char* name, StreamId stream) {
        return std::string(",\"") + name + R"(":{"total":)" + std::to_string(totals[stream]) +
               R"(,"unique":)" + std::to_string(destinations[stream].size()) + "}";
    };
    const std::uint64_t sent = totals[StreamId::deliveries] + totals[StreamId::errors];
    CHECK(totals[StreamId::clicks] > 0);
    CHECK(body("/v3/ms/emailing/400/statistics", {}) ==
          R"({"destinations":)" + std::to_string(sent) + R"(,"deliveries":{"total":)" +
              std::to_string(totals[StreamId::deliveries]) + "}" +
              both("errors", StreamId::errors) + both("impressions", StreamId::impressions) +
              both("clicks", StreamId::clicks) + both("unsubscribes", StreamId::unsubscribes) +
              both("abuses", StreamId::abuses) + "}");
    CHECK(body("/v3/ms/emailing/400/statistics", {{"endtime", "2025-01-01"}})
              .find(R"("impressions":{"total":0,"unique":0})") != std::string::npos);
    CHECK(body("/v3/ms/emailing/99999/statistics", {}) ==
          R"({"error":{"message":"No such emailing"}})");
    CHECK(body("/v3/ms/emailing/x/statistics", {}) == R"({"error":{"message":"No such method"}})");
    CHECK(body("/v3/consumption", {{"begin", "2025-01-01"}, {"end", "2027-01-01"}}, 17) ==
          R"({"emails":5100,"apicalls":17})");
    CHECK(body("/v3/consumption", {{"begin", "2027-01-01"}}) == R"({"emails":0,"apicalls":0})");
}

TEST_CASE("simulator: live rows bring what belongs to them") {
    Account account;
    const Instant noon = utc("2026-01-10 12:00:00");
    LiveStory live(account, RowMaker(1), true);
    for (int i = 0; i < 1000; ++i) {
        live.happen(noon + Seconds(i));
    }
    CHECK(account.of(StreamId::impressions).size() == 1000);
    CHECK(account.of(StreamId::clicks).size() == 200);
    CHECK(account.of(StreamId::unsubscribes).size() == 5);
    CHECK(account.of(StreamId::abuses).size() == 1);
    check_follows(first_times(account, StreamId::impressions),
                  first_times(account, StreamId::deliveries));
    check_follows(first_times(account, StreamId::clicks),
                  first_times(account, StreamId::impressions));
    const auto mailing = account.of(StreamId::mailings).truth(Instant::max());
    REQUIRE(mailing.size() == 1);
    CHECK(mailing[0][6] ==
          Value(static_cast<std::int64_t>(account.of(StreamId::deliveries).size())));

    Account clicks;
    clicks.choose(StreamId::clicks);
    LiveStory alone(clicks, RowMaker(1), true);
    alone.happen(noon);
    CHECK(clicks.of(StreamId::clicks).size() == 1);
    CHECK(clicks.of(StreamId::impressions).size() == 0);
}

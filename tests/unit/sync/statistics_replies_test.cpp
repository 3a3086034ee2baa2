// Audits with the API's statistics, over fakes: replies that fail or contradict each other, a
// budget, a stop.
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include "core/copernica/errors.hpp"
#include "core/sync/request_ledger.hpp"
#include "core/sync/session.hpp"
#include "core/sync/statistics_audit.hpp"
#include "core/time/text.hpp"
#include "tests/support/times.hpp"
#include "tests/unit/sync/live.hpp"
#include "tests/unit/sync/run_coroutine.hpp"
#include "tests/unit/sync/statistics_text.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::tests;
using namespace std::chrono_literals;
using sync::StatisticsReport;
using sync::StatisticsRequest;

namespace {

// An account of some rows, and a file that has five of mailing 1 and two of
// mailing 2.
struct Faked : Live {
    Faked() {
        settings.give_up_after = Seconds(900);
        // Old enough to have expired.
        settings.start = local("2026-11-01 00:00:00");
        model.add(live_noon - 24h * 15);
        sync();
        store.cuts = true;
        store.mailings.by_mailing[1] = {5, 3, 0};
        store.mailings.by_mailing[2] = {2, 2, 0};
        api.on_statistics = [this](const StatisticsQuery& query) {
            queries.push_back(query);
            return answer(query);
        };
    }

    std::optional<std::vector<EventCount>> answer(const StatisticsQuery& query) const {
        const auto found = store.mailings.by_mailing.find(query.mailing);
        if (found == store.mailings.by_mailing.end()) {
            return std::nullopt;
        }
        return std::vector<EventCount>{{found->second.total, found->second.unique}};
    }

    StatisticsReport audit(const StatisticsRequest& request = {}) {
        sync::Session session(loop.get_executor(), api, store, clock, log, settings);
        return run(loop, session.audit_statistics(request));
    }

    std::vector<StatisticsQuery> queries;
};

}  // namespace

TEST_CASE("statistics: a mailing that the API does not know") {
    Faked world;
    world.api.on_statistics = [&](const StatisticsQuery& query) {
        return query.mailing == 2 ? std::nullopt : world.answer(query);
    };
    const StatisticsReport report = world.audit();
    CHECK_FALSE(report.agrees());
    CHECK(report.mailings == 1);
    REQUIRE(report.not_counted.size() == 1);
    CHECK(report.not_counted[0].mailing == 2);
    CHECK(report.not_counted[0].events == 2);
    CHECK_FALSE(report.not_counted[0].failed.has_value());
    CHECK(world.api.statistics_calls == 3);  // asked twice

    // Now and then.
    int calls = 0;
    world.api.on_statistics = [&](const StatisticsQuery& query) {
        return ++calls == 1 ? std::nullopt : world.answer(query);
    };
    CHECK(world.audit().agrees());
}

TEST_CASE("statistics: a difference in one reply alone is not reported") {
    Faked world;
    int calls = 0;
    world.api.on_statistics = [&](const StatisticsQuery& query) {
        auto counts = world.answer(query);
        if (++calls == 1) {
            counts->front() = {0, 0};
        }
        return counts;
    };
    const StatisticsReport report = world.audit();
    CHECK(report.agrees());
    CHECK(calls == 3);

    world.api.on_statistics = [&](const StatisticsQuery& query) {
        auto counts = world.answer(query);
        counts->front().unique = 1;
        return counts;
    };
    CHECK(text_of(world.audit().differences) == "1 unique 1:3, 2 unique 1:2");
}

TEST_CASE("statistics: the same period for all, within what is complete") {
    Faked world;
    const StatisticsReport report = world.audit();
    CHECK(report.agrees());
    REQUIRE(world.queries.size() == 2);
    const Zone& zone = world.settings.zone;
    for (const StatisticsQuery& query : world.queries) {
        CHECK(zone.earliest(query.begintime) == report.period.begin);
        CHECK(zone.earliest(query.endtime) == report.period.end);
        REQUIRE(query.streams.size() == 1);
        CHECK(query.streams[0] == &world.store.stream());
    }
    CHECK(world.store.covered.contains(report.period));
    REQUIRE(world.store.runs.size() == 2);
    CHECK(world.store.runs.back().kind == "audit");
    CHECK(world.store.runs.back().outcome == "done");
    CHECK(world.store.runs.back().period == report.period);
}

TEST_CASE("statistics: failures are tried again, and a mailing that keeps failing is named") {
    for (const ErrorKind kind :
         {ErrorKind::try_again, ErrorKind::invalid_response, ErrorKind::request_refused}) {
        CAPTURE(static_cast<int>(kind));
        Faked world;
        std::uint64_t failures = 0;
        std::uint64_t most = kind == ErrorKind::request_refused ? 0 : 3;
        world.api.on_statistics = [&](const StatisticsQuery& query) {
            if (query.mailing == 1 && failures < most) {
                ++failures;
                throw ApiError(kind, "it is not to be", 500);
            }
            return world.answer(query);
        };
        CHECK(world.audit().agrees());
        most = 1'000'000;
        const StatisticsReport report = world.audit();
        CHECK_FALSE(report.agrees());
        CHECK(report.mailings == 1);
        REQUIRE(report.not_counted.size() == 1);
        CHECK(report.not_counted[0].mailing == 1);
        CHECK(report.not_counted[0].failed == "it is not to be");
        CHECK(world.store.runs.back().outcome == "incomplete");
    }
}

TEST_CASE("statistics: an API that serves none of them ends it") {
    Faked world;
    world.store.mailings.by_mailing[3] = {};
    world.store.mailings.by_mailing[4] = {};
    SUBCASE("it fails for each") {
        world.api.on_statistics =
            [](const StatisticsQuery&) -> std::optional<std::vector<EventCount>> {
            throw ApiError(ErrorKind::request_refused, "it is not to be", 400);
        };
        CHECK_THROWS_WITH_AS(world.audit(), "it is not to be", ApiFailed);
        CHECK(world.api.statistics_calls == 3);
    }
    SUBCASE("the token has no right to them") {
        world.api.on_statistics =
            [](const StatisticsQuery&) -> std::optional<std::vector<EventCount>> {
            throw ApiError(ErrorKind::token_refused, "Forbidden", 403);
        };
        CHECK_THROWS_WITH_AS(world.audit(),
                             "Forbidden, though identity does not refuse the token; give the token "
                             "the right to read the statistics of mailings",
                             ApiFailed);
        CHECK(world.api.statistics_calls <= 8);
    }
    const std::string outcome = world.store.runs.back().outcome;
    CHECK(outcome.starts_with("failed: "));
    // What `status` says is not about this.
    CHECK(world.store.facts["last_error"].empty());
    CHECK(world.store.facts["failing_since"].empty());
}

TEST_CASE("statistics: a budget holds") {
    Faked world;
    world.settings.requests_per_day = 40;
    for (std::int64_t mailing = 3; mailing < 100; ++mailing) {
        world.store.mailings.by_mailing[mailing] = {1, 1, 0};
    }
    CHECK_THROWS_AS(world.audit(), sync::BudgetSpent);
    CHECK(world.api.statistics_calls < 40);
    CHECK(world.api.statistics_calls > 5);
    CHECK(world.store.runs.back().outcome.starts_with("failed: the budget of 40"));
    CHECK(count(world.log.infos,
                "99 mailings are compared with the API's statistics: 99 requests, at least") == 1);
}

TEST_CASE("statistics: what the polls of a day need is left to them") {
    for (const bool leave_polls : {true, false}) {
        CAPTURE(leave_polls);
        Faked world;
        world.settings.requests_per_day = 150;
        world.settings.leave_polls = leave_polls;
        for (std::int64_t mailing = 3; mailing < 100; ++mailing) {
            world.store.mailings.by_mailing[mailing] = {1, 1, 0};
        }
        if (leave_polls) {
            CHECK_THROWS_AS(world.audit(), sync::BudgetSpent);
            CHECK(world.api.statistics_calls > 5);
            CHECK(world.api.statistics_calls < 99);
        } else {
            CHECK(world.audit().agrees());
        }
    }
}

TEST_CASE("statistics: another account's file is left alone") {
    struct Others final : FakeStore {
        using FakeStore::FakeStore;
        boost::asio::awaitable<void> claim_account(std::string, std::string) override {
            throw std::runtime_error("of another account");
            co_return;
        }
    };
    Faked world;
    Others others(world.settings.zone);
    sync::Session session(world.loop.get_executor(), world.api, others, world.clock, world.log,
                          world.settings);
    CHECK_THROWS_WITH(run(world.loop, session.audit_statistics({})), "of another account");
    CHECK(others.runs.empty());
}

TEST_CASE("statistics: a stop is written down") {
    Faked world;
    sync::Session session(world.loop.get_executor(), world.api, world.store, world.clock, world.log,
                          world.settings);
    boost::asio::cancellation_signal stop;
    world.api.on_statistics = [&](const StatisticsQuery& query) {
        if (query.mailing == 2) {
            boost::asio::post(world.loop,
                              [&stop] { stop.emit(boost::asio::cancellation_type::terminal); });
            throw ApiError(ErrorKind::try_again, "a moment, please", 503);
        }
        return world.answer(query);
    };
    std::exception_ptr ended;
    boost::asio::co_spawn(world.loop, session.audit_statistics({}),
                          boost::asio::bind_cancellation_slot(
                              stop.slot(), [&](const std::exception_ptr& error,
                                               const StatisticsReport&) { ended = error; }));
    world.loop.restart();
    world.loop.run();
    CHECK(ended);
    CHECK(world.store.runs.back().outcome == "stopped");
    CHECK(world.store.runs.back().requests >= 3);
}

TEST_CASE("statistics: several streams, one request for each mailing") {
    Faked world;
    FakeStore clicks(world.settings.zone, *find_stream("clicks"));
    FakeStore mailings(world.settings.zone, *find_stream("mailings"));
    clicks.cuts = true;
    clicks.rows = world.store.rows;
    clicks.covered = world.store.covered;
    clicks.mailings.by_mailing[2] = {1, 1, 0};
    clicks.mailings.by_mailing[3] = {4, 4, 0};
    mailings.mailings.by_mailing[9] = {};
    const std::vector<sync::StreamToMirror> all{
        {world.store, world.settings}, {clicks, world.settings}, {mailings, world.settings}};
    std::set<std::string> refused;
    world.api.on_stream = [&](const Stream& stream) {
        if (refused.contains(std::string(stream.name))) {
            throw ApiError(ErrorKind::request_refused, "not that one", 404);
        }
    };
    std::vector<std::int64_t> asked;
    world.api.on_statistics = [&](const StatisticsQuery& query) {
        asked.push_back(query.mailing);
        std::vector<EventCount> counts;
        for (const Stream* const stream : query.streams) {
            const auto& file = stream->name == "clicks" ? clicks.mailings : world.store.mailings;
            const auto found = file.by_mailing.find(query.mailing);
            const auto count =
                found == file.by_mailing.end() ? plan::MailingCount() : found->second;
            counts.push_back({count.total, count.unique});
        }
        return std::optional(counts);
    };
    const auto audit = [&] {
        asked.clear();
        sync::Session session(world.loop.get_executor(), world.api, all, world.clock, world.log);
        return run(world.loop, session.audit_statistics({}));
    };
    const StatisticsReport report = audit();
    CHECK(report.agrees());
    CHECK(asked == std::vector<std::int64_t>{1, 2, 3, 9});
    REQUIRE(report.streams.size() == 2);  // mailings have no statistics
    CHECK(clicks.runs.size() == 1);
    CHECK(mailings.runs.empty());

    // One that is not complete for long is not compared, and holds up no other.
    clicks.covered.subtract({clicks.covered.windows().back().end - Seconds(30 * 3600),
                             clicks.covered.windows().back().end});
    const StatisticsReport without = audit();
    CHECK_FALSE(without.agrees());
    CHECK(without.streams[0].compared);
    CHECK_FALSE(without.streams[1].compared);
    CHECK_FALSE(without.streams[1].uncovered.empty());
    CHECK(asked == std::vector<std::int64_t>{1, 2, 9});
    CHECK(clicks.runs.back().outcome == "incomplete");

    // Nor does one that the API refuses; all of them end it.
    clicks.covered = world.store.covered;
    refused = {"clicks"};
    const StatisticsReport failed = audit();
    CHECK_FALSE(failed.agrees());
    CHECK(failed.streams[0].compared);
    CHECK(failed.streams[0].uncovered.empty());
    CHECK_FALSE(failed.streams[1].compared);
    CHECK(failed.streams[1].failed == "not that one");
    refused = {"clicks", "impressions"};
    CHECK_THROWS_WITH_AS(audit(), "not that one", ApiFailed);
}

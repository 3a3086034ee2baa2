// Audits with the API's statistics: over the real storage and the simulator's replies, and over
// fakes where something fails.
#include "core/sync/statistics_audit.hpp"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include "core/copernica/errors.hpp"
#include "core/sync/request_ledger.hpp"
#include "core/sync/session.hpp"
#include "core/time/text.hpp"
#include "storage/erasure_rule.hpp"
#include "tests/simulator/generate.hpp"
#include "tests/soak/world.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/times.hpp"
#include "tests/unit/sync/live.hpp"
#include "tests/unit/sync/run_coroutine.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::tests;
using namespace std::chrono_literals;
using simulator::Bound;
using sync::StatisticsReport;
using sync::StatisticsRequest;

namespace {

const Instant now = utc("2026-11-23 16:00:00");
const Window two_months{utc("2026-09-20 00:00:00"), now - Seconds(7200)};

// An account with rows every few minutes, of a mailing a week, and a mirror that has all of it.
struct Mirrored {
    explicit Mirrored(simulator::Behaviour behaviour = {}, std::uint64_t rows = 5000)
        : world(file(), now, "Europe/Amsterdam") {
        world.behaviour = behaviour;
        simulator::Generation generation;
        generation.shape = simulator::Shape::steady;
        generation.rows = rows;
        generation.period = two_months;
        simulator::generate(world.account, generation);
        world.settings.start = world.settings.zone.to_local(two_months.begin);
        REQUIRE(world.sync().whole());
    }

    std::filesystem::path file() const { return directory.path() / "impressions.db"; }
    void meddle(const std::string& sql) const {
        SQLite::Database(file().string(), SQLite::OPEN_READWRITE).exec(sql);
    }
    std::int64_t ask(const std::string& query) const {
        SQLite::Database sql(file().string(), SQLite::OPEN_READONLY);
        return sql.execAndGet(query).getInt64();
    }
    // Everything but runs and the count of requests.
    std::string contents() const {
        SQLite::Database sql(file().string(), SQLite::OPEN_READONLY);
        std::string all;
        for (const char* const query :
             {"SELECT group_concat(id || timestamp || ifnull(removed_at, '') || changed_at) FROM "
              "(SELECT * FROM impression_rows ORDER BY id)",
              "SELECT group_concat(stream || age || \"begin\" || \"end\") FROM coverage",
              "SELECT group_concat(stream || key || value, '\n') FROM "
              "(SELECT * FROM mirror ORDER BY stream, key)",
              "SELECT count(*) FROM rejects", "SELECT count(*) FROM doubts"}) {
            all += sql.execAndGet(query).getString() + "\n";
        }
        return all;
    }
    StatisticsReport audit(const StatisticsRequest& request = {}) {
        return world.audit_statistics(request);
    }

    test::TemporaryDirectory directory;
    soak::World world;
};

// "7 total 5:4": the API's number first.
std::string text_of(const std::vector<plan::StatisticsDifference>& differences) {
    std::string text;
    for (const plan::StatisticsDifference& difference : differences) {
        text += (text.empty() ? "" : ", ") + std::to_string(difference.mailing) +
                (difference.of_unique ? " unique " : " total ") + std::to_string(difference.api) +
                ":" + std::to_string(difference.file);
    }
    return text;
}

// The same over fakes: an account of some rows, and a file that has five of mailing 1 and two of
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

TEST_CASE("statistics: a file that has everything agrees, whatever bounds mean") {
    for (const Bound begin : {Bound::exclusive, Bound::inclusive}) {
        for (const Bound end : {Bound::exclusive, Bound::inclusive}) {
            CAPTURE(static_cast<int>(begin));
            CAPTURE(static_cast<int>(end));
            simulator::Behaviour behaviour;
            behaviour.begin = begin;
            behaviour.end = end;
            Mirrored mirror(behaviour);
            // Rows at the seconds that are asked for.
            StatisticsRequest request;
            request.from =
                parse_local(SQLite::Database(mirror.file().string())
                                .execAndGet("SELECT timestamp FROM impressions WHERE id = 1000")
                                .getString())
                    .value();
            request.to =
                parse_local(SQLite::Database(mirror.file().string())
                                .execAndGet("SELECT timestamp FROM impressions WHERE id = 4000")
                                .getString())
                    .value();
            const std::string before = mirror.contents();
            const StatisticsReport part = mirror.audit(request);
            CHECK(part.agrees());
            CHECK(text_of(part.differences) == "");
            CHECK(part.mailings == static_cast<std::uint64_t>(
                                       mirror.ask("SELECT count(DISTINCT mailing) FROM impressions "
                                                  "WHERE id BETWEEN 1001 AND 3999")));
            CHECK(part.period.begin > mirror.world.settings.zone.earliest(*request.from));
            CHECK(part.period.end < mirror.world.settings.zone.earliest(*request.to));

            const StatisticsReport all = mirror.audit();
            CHECK(all.agrees());
            CHECK(all.mailings == 10);
            // Identity, whether the oldest row is still shown, and one for each mailing.
            CHECK(all.requests == 12);
            CHECK(mirror.contents() == before);
            CHECK(mirror.ask("SELECT count(*) FROM runs WHERE kind = 'audit' AND outcome = "
                             "'done' AND requests = 12") >= 1);
        }
    }
}

TEST_CASE("statistics: a row that the file lacks, one too many, and another destination") {
    Mirrored mirror;
    const std::int64_t lost = mirror.ask("SELECT mailing FROM impressions WHERE id = 777");
    const std::int64_t gone = mirror.ask("SELECT mailing FROM impressions WHERE id = 3333");
    REQUIRE(lost != gone);
    mirror.meddle("UPDATE impression_rows SET destination = 123456789 WHERE id = 776");
    mirror.meddle("DELETE FROM impression_rows WHERE id = 777");
    mirror.world.account.remove(3333);
    const auto total = [&](std::int64_t mailing) {
        return mirror.ask("SELECT count(*) FROM impressions WHERE mailing = " +
                          std::to_string(mailing));
    };
    const std::string before = mirror.contents();
    const StatisticsReport report = mirror.audit();
    CHECK_FALSE(report.agrees());
    CHECK(report.mailings == 10);
    CHECK(report.requests == 14);  // two of them twice
    std::set<std::int64_t> mailings;
    for (const plan::StatisticsDifference& difference : report.differences) {
        mailings.insert(difference.mailing);
        if (!difference.of_unique) {
            const std::int64_t file = total(difference.mailing);
            CHECK(difference.file == static_cast<std::uint64_t>(file));
            CHECK(difference.api ==
                  static_cast<std::uint64_t>(difference.mailing == lost ? file + 1 : file - 1));
        }
    }
    CHECK(mailings == std::set<std::int64_t>{lost, gone});
    CHECK(mirror.contents() == before);
    CHECK(mirror.ask("SELECT count(*) FROM runs WHERE outcome = 'incomplete'") == 1);
}

TEST_CASE("statistics: removed rows and rejects count as the API counts them") {
    Mirrored mirror;
    mirror.world.account.remove(2000);
    simulator::Row twin;
    twin.id = 3000;
    twin.at = utc("2026-10-15 09:30:00");
    twin.mailing = 401;
    twin.destination = 5;
    mirror.world.account.add(twin);
    sync::BackfillRequest everything;
    everything.from = mirror.world.settings.start;
    everything.force = true;
    REQUIRE(mirror.world.backfill(everything).whole());
    REQUIRE(mirror.ask("SELECT count(*) FROM rejects") == 1);
    REQUIRE(mirror.ask("SELECT count(*) FROM impressions WHERE removed_at IS NOT NULL") == 1);
    CHECK(text_of(mirror.audit().differences) == "");
}

TEST_CASE("statistics: erased records are told, and are no difference") {
    Mirrored mirror;
    const std::int64_t person = mirror.ask("SELECT destination FROM impressions WHERE id = 2000");
    const std::int64_t records = mirror.ask(
        "SELECT count(*) FROM impressions WHERE destination = " + std::to_string(person));
    storage::ErasureRule rule;
    rule.kind = storage::ErasureRule::Kind::destination;
    rule.id = person;
    mirror.world.erase(rule);
    const StatisticsReport report = mirror.audit();
    CHECK(report.agrees());
    REQUIRE(report.unattributed.size() == 1);
    CHECK(report.unattributed[0].more == static_cast<std::uint64_t>(records));
    CHECK(report.unattributed[0].records == static_cast<std::uint64_t>(records));

    // One more is missing than they explain.
    mirror.meddle("DELETE FROM impression_rows WHERE id = (SELECT max(id) FROM impression_rows)");
    CHECK_FALSE(mirror.audit().agrees());
}

TEST_CASE("statistics: what has expired at the API is not compared") {
    Mirrored mirror;
    for (std::int64_t id = 1; id <= 2000; ++id) {
        mirror.world.account.remove(id);
    }
    const StatisticsReport report = mirror.audit();
    CHECK(report.agrees());
    CHECK(report.period.begin > two_months.begin + Seconds(24 * 3600));
    CHECK(report.mailings < 10);
}

TEST_CASE("statistics: parts that are not complete are told and not compared") {
    Mirrored mirror;
    mirror.meddle(
        "UPDATE coverage SET \"end\" = \"end\" - 40 * 86400;"
        "INSERT INTO coverage SELECT stream, age, \"end\" + 86400, \"end\" + 40 * 86400, "
        "local_begin, local_end FROM coverage");
    const StatisticsReport report = mirror.audit();
    CHECK_FALSE(report.agrees());
    CHECK(report.differences.empty());
    CHECK(report.mailings > 0);
    REQUIRE(report.streams.size() == 1);
    CHECK(report.streams[0].compared);
    REQUIRE(report.streams[0].uncovered.windows().size() == 1);
    CHECK(report.streams[0].uncovered.width() == Seconds(86400));

    StatisticsRequest all;
    all.from = mirror.world.settings.start;
    const StatisticsReport none = mirror.audit(all);
    CHECK_FALSE(none.agrees());
    CHECK(none.period.empty());
    CHECK(none.mailings == 0);
    CHECK_FALSE(none.streams.at(0).compared);
}

TEST_CASE("statistics: the night in which an hour comes twice") {
    struct Example {
        simulator::Reading reading;
        simulator::Repeated repeated;
    };
    for (const Example& example :
         {Example{simulator::Reading::text, simulator::Repeated::first},
          Example{simulator::Reading::instant, simulator::Repeated::first},
          Example{simulator::Reading::instant, simulator::Repeated::second}}) {
        CAPTURE(static_cast<int>(example.reading));
        CAPTURE(static_cast<int>(example.repeated));
        simulator::Behaviour behaviour;
        behaviour.reading = example.reading;
        behaviour.repeated = example.repeated;
        Mirrored mirror(behaviour, 60'000);  // some a minute
        for (const char* const text : {"2026-10-25 01:59:59", "2026-10-25 02:00:00",
                                       "2026-10-25 02:30:00", "2026-10-25 03:00:00"}) {
            CAPTURE(text);
            StatisticsRequest before;
            before.to = parse_local(text).value();
            CHECK(mirror.audit(before).agrees());
            StatisticsRequest after;
            after.from = parse_local(text).value();
            CHECK(mirror.audit(after).agrees());
        }
    }
}

TEST_CASE("statistics: no second is free") {
    simulator::Behaviour behaviour;
    Mirrored mirror(behaviour, 100);
    for (int second = 0; second < 3600; ++second) {
        simulator::Row row;
        row.id = 1'000'000 + second;
        row.at = utc("2026-11-01 12:00:00") + Seconds(second);
        row.mailing = 5;
        mirror.world.account.add(row);
    }
    sync::BackfillRequest everything;
    everything.from = mirror.world.settings.start;
    everything.force = true;
    REQUIRE(mirror.world.backfill(everything).whole());
    StatisticsRequest request;
    request.from = parse_local("2026-11-01 13:10:00");
    request.to = parse_local("2026-11-01 13:20:00");
    const StatisticsReport report = mirror.audit(request);
    CHECK_FALSE(report.agrees());
    CHECK(report.period.empty());
    const auto& log = mirror.world.log();
    CHECK(std::any_of(log.begin(), log.end(), [](const std::string& line) {
        return line.find("each second of the period has events around it") != std::string::npos;
    }));
    request.to = parse_local("2026-11-01 15:00:00");
    CHECK(mirror.audit(request).agrees());
}

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

TEST_CASE("statistics: one reply alone is no difference") {
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

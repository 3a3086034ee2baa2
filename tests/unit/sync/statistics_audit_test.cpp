// Audits with the API's statistics, over the real storage and the simulator's replies.
#include "core/sync/statistics_audit.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "storage/erasure_rule.hpp"
#include "tests/simulator/generate.hpp"
#include "tests/soak/world.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/times.hpp"
#include "tests/unit/sync/statistics_text.hpp"

using namespace mirror;
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

TEST_CASE("statistics: erased records are named, and do not count as a difference") {
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

TEST_CASE("statistics: the night in which an hour comes twice" * doctest::test_suite("long")) {
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

// Audits over the real storage and the simulator's replies, on virtual time.
#include "core/sync/audit.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/time/text.hpp"
#include "storage/status_reader.hpp"
#include "tests/simulator/generate.hpp"
#include "tests/soak/world.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/times.hpp"

using namespace mirror;
using mirror::tests::utc;
using simulator::Bound;
using simulator::Order;

namespace {

const Instant now = utc("2026-11-23 16:00:00");

// An account, and a mirror that has all of it.
struct Audited {
    explicit Audited(simulator::Behaviour behaviour = {}) : world(file(), now, "Europe/Amsterdam") {
        world.behaviour = behaviour;
        world.settings.start = parse_local("2026-09-20 00:00:00").value();
    }

    std::filesystem::path file() const { return directory.path() / "impressions.db"; }

    // Steadily over the period, with IDs from 1.
    void fill(std::uint64_t rows, const Window& period) {
        simulator::Generation generation;
        generation.shape = simulator::Shape::steady;
        generation.rows = rows;
        generation.period = period;
        simulator::generate(world.account, generation);
        world.settings.start = world.settings.zone.to_local(period.begin);
        REQUIRE(world.sync().whole());
    }

    sync::AuditReport audit(bool repair, bool prune = false) {
        sync::AuditRequest request;
        request.options.repair = repair;
        request.options.prune = prune;
        before_ = world.requests();
        const sync::AuditReport report = world.audit(request);
        // What it found stays in the file, as a fact of its own.
        storage::StatusOptions options;
        options.path = file();
        CHECK(storage::read_status(options).of(streams().front()).facts.at("last_audit_agrees") ==
              (report.agrees() ? "1" : "0"));
        return report;
    }
    /// Of the last audit.
    std::uint64_t requests() const { return world.requests() - before_; }

    void meddle(const std::string& sql) const {
        SQLite::Database(file().string(), SQLite::OPEN_READWRITE).exec(sql);
    }
    std::int64_t ask(const std::string& query) const {
        SQLite::Database sql(file().string(), SQLite::OPEN_READONLY);
        return sql.execAndGet(query).getInt64();
    }
    std::size_t gaps() const {
        WindowSet gaps({soak::covered(file()).windows().front().begin,
                        soak::covered(file()).windows().back().end});
        gaps.subtract(soak::covered(file()));
        return gaps.windows().size();
    }

    test::TemporaryDirectory directory;
    soak::World world;

  private:
    std::uint64_t before_ = 0;
};

const Window two_months{utc("2026-09-20 00:00:00"), now - Seconds(7200)};

// 20,000 rows, and a hundred records among them that have no time.
struct AuditedWithTimeless : Audited {
    AuditedWithTimeless() {
        simulator::Generation generation;
        generation.shape = simulator::Shape::steady;
        generation.rows = 20'000;
        generation.period = two_months;
        simulator::generate(world.account, generation);
        for (std::int64_t id = 100; id <= 20'000; id += 200) {
            world.account.change(
                id, [](simulator::Row& row) { row.timestamp = "0000-00-00 00:00:00"; });
        }
        world.settings.start = world.settings.zone.to_local(two_months.begin);
        REQUIRE(world.sync().whole());
    }
};

}  // namespace

TEST_CASE("audit: thousands of rows that are gone do not shred the file") {
    Audited mirror;
    mirror.fill(20'000, two_months);
    for (std::int64_t id = 3; id < 20'000; id += 5) {
        mirror.world.account.remove(id);
    }
    const sync::AuditReport report = mirror.audit(false);
    CHECK_FALSE(report.agrees());
    CHECK(report.places.size() <= sync::Audit::most_places);
    std::uint64_t gone = 0;
    for (const sync::AuditPlace& place : report.places) {
        gone += place.gone;
    }
    CHECK(gone == 4000);
    CHECK(mirror.gaps() <= sync::Audit::most_places);
    CHECK_FALSE(report.withdrawn.empty());
    const std::uint64_t before = mirror.world.requests();
    mirror.world.sync();
    CHECK(mirror.world.requests() - before < 200);
}

TEST_CASE("audit: a few places stay as narrow as they are") {
    Audited mirror;
    mirror.fill(10'000, two_months);
    for (const std::int64_t id : {100, 5000, 9900}) {
        mirror.world.account.remove(id);
    }
    const sync::AuditReport report = mirror.audit(false);
    REQUIRE(report.places.size() == 3);
    for (const sync::AuditPlace& place : report.places) {
        CHECK(place.window.width() <= Seconds(2));
    }
    CHECK(report.withdrawn.windows().size() == 3);
}

TEST_CASE("audit: what it took the coverage of is fetched by the next repair, and told before") {
    Audited mirror;
    mirror.fill(10'000, two_months);
    mirror.meddle("DELETE FROM impression_rows WHERE id IN (100, 2500, 5000, 7500, 9900)");
    const sync::AuditReport found = mirror.audit(false);
    CHECK(found.places.size() == 5);
    CHECK(found.withdrawn.windows().size() == 5);
    // Once more: nothing differs in what can be compared, but parts are not complete.
    const sync::AuditReport again = mirror.audit(false);
    CHECK(again.places.empty());
    CHECK(again.uncovered.windows().size() == 5);
    CHECK_FALSE(again.agrees());
    const sync::AuditReport repaired = mirror.audit(true);
    CHECK(repaired.agrees());
    CHECK(repaired.uncovered.empty());
    CHECK(repaired.written.inserted == 5);
    CHECK(mirror.gaps() == 0);
    soak::expect_exact(mirror.world);
}

TEST_CASE("audit: three holes are found in few requests, however dense the rows are" *
          doctest::test_suite("long")) {
    struct Example {
        Window period;
        std::uint64_t rows;
    };
    // As many pages as 200,000 rows have.
    const std::vector<Example> examples{
        {{now - Seconds(10'500), now - Seconds(7200)}, 20'000},  // six a second, none is free
        {two_months, 20'000},
    };
    for (const Example& example : examples) {
        for (const Bound begin : {Bound::exclusive, Bound::inclusive}) {
            for (const Bound end : {Bound::exclusive, Bound::inclusive}) {
                CAPTURE(example.period.width().count());
                CAPTURE(static_cast<int>(begin));
                CAPTURE(static_cast<int>(end));
                simulator::Behaviour behaviour;
                behaviour.begin = begin;
                behaviour.end = end;
                Audited mirror(behaviour);
                mirror.world.settings.page_size = 100;
                mirror.fill(example.rows, example.period);
                const sync::AuditReport clean = mirror.audit(false);
                CHECK(clean.agrees());
                CHECK(clean.places.empty());
                CHECK(mirror.requests() <= 9);  // one asks whether the oldest row has expired
                mirror.meddle("DELETE FROM impression_rows WHERE id IN (5001, 12002, 19003)");
                const sync::AuditReport report = mirror.audit(false);
                CHECK(report.places.size() == 3);
                CHECK(mirror.requests() <= 60);
                CHECK(mirror.audit(true).agrees());
                soak::expect_exact(mirror.world);
            }
        }
    }
}

TEST_CASE("audit: records without a time agree, wherever the windows that had them are cut") {
    AuditedWithTimeless mirror;
    const std::int64_t straddling = mirror.ask(
        "SELECT count(*) FROM rejects WHERE timestamp IS NULL AND \"end\" - \"begin\" > 86400");
    REQUIRE(straddling > 10);
    const sync::AuditReport report = mirror.audit(false);
    CHECK(report.agrees());
    CHECK(report.api == 20'000);
    CHECK(report.file == 20'000);
    CHECK(mirror.requests() <= 9);  // nothing was read
    CHECK(mirror.gaps() == 0);

    // So do those of a shorter period, on whose edges such windows lie.
    sync::AuditRequest part;
    part.from = parse_local("2026-10-01 06:30:00");
    part.to = parse_local("2026-11-02 11:11:11");
    CHECK(mirror.world.audit(part).agrees());
    CHECK(mirror.gaps() == 0);
}

TEST_CASE("audit: records without a time hide no difference" * doctest::test_suite("long")) {
    for (std::int64_t id = 7; id < 20'000; id += 499) {
        CAPTURE(id);
        if (id % 200 == 100) {
            continue;  // without a time
        }
        AuditedWithTimeless mirror;
        mirror.meddle(fmt::format("DELETE FROM impression_rows WHERE id = {}", id));
        const sync::AuditReport report = mirror.audit(false);
        CHECK_FALSE(report.agrees());
        CHECK(report.api == 20'000);
        CHECK(report.file == 19'999);
        REQUIRE(report.places.size() == 1);
        CHECK(report.places.front().missing == 1);
        CHECK(mirror.audit(true).agrees());
        soak::expect_exact(mirror.world);
    }
}

TEST_CASE("audit: an ID that comes again beside the old record is told, and both are kept") {
    Audited mirror;
    mirror.fill(5000, two_months);
    // The old record stays; a new one has its ID.
    simulator::Row twin;
    twin.id = 2500;
    twin.at = utc("2026-10-15 09:30:00");
    mirror.world.account.add(twin);
    const sync::AuditReport repaired = mirror.audit(true);
    CHECK(repaired.agrees());
    CHECK(repaired.api == 5001);
    CHECK(mirror.ask("SELECT count(*) FROM impressions WHERE removed_at IS NULL") == 5000);
    CHECK(mirror.ask("SELECT count(*) FROM rejects WHERE id = 2500") == 1);
    const auto& log = mirror.world.log();
    CHECK(std::count(log.begin(), log.end(),
                     "two records have the ID 2500; the second one is kept in rejects") == 1);
    CHECK(mirror.gaps() == 0);

    const sync::AuditReport again = mirror.audit(false);
    CHECK(again.agrees());
    CHECK(again.api == 5001);
    CHECK(again.file == 5001);
    mirror.world.clock.advance(std::chrono::hours(1));
    sync::BackfillRequest everything;
    everything.from = mirror.world.settings.start;
    everything.force = true;
    CHECK(mirror.world.backfill(everything).whole());
    CHECK(mirror.world.sync().whole());
    CHECK(mirror.gaps() == 0);
}

TEST_CASE("a first sync of an account with a repeated ID is whole") {
    Audited mirror;
    for (const char* const at : {"2026-10-15 09:30:00", "2026-11-15 09:30:00"}) {
        simulator::Row row;
        row.id = 77;
        row.at = utc(at);
        mirror.world.account.add(row);
    }
    mirror.fill(5000, two_months);
    CHECK(mirror.ask("SELECT count(*) FROM rejects") == 2);  // and one of the 5,000 is 77
    CHECK(mirror.audit(false).agrees());
}

TEST_CASE("an hour in which the API hides nearly everything removes nothing") {
    Audited mirror;
    mirror.fill(5000, two_months);
    const Instant until = now + std::chrono::hours(1);
    // But for the oldest: what is before the oldest row that is shown has expired.
    const auto oldest = mirror.ask("SELECT id FROM impressions ORDER BY timestamp, id LIMIT 1");
    std::int64_t hidden_rows = 0;
    for (std::int64_t id = 1; id <= 4800; ++id) {
        if (id != oldest) {
            mirror.world.account.change(id, [&](simulator::Row& row) { row.visible_from = until; });
            ++hidden_rows;
        }
    }
    sync::BackfillRequest everything;
    everything.from = mirror.world.settings.start;
    everything.force = true;
    const sync::Outcome hidden = mirror.world.backfill(everything);
    CHECK(hidden.written.doubted == static_cast<std::uint64_t>(hidden_rows));
    CHECK(hidden.written.removed == hidden.written.unmarked);
    CHECK(mirror.ask("SELECT count(*) FROM impressions WHERE removed_at IS NOT NULL") == 0);
    CHECK(mirror.ask("SELECT sum(rows) FROM doubts") == hidden_rows);

    // `run` reads it again an hour later.
    mirror.world.follow(std::chrono::hours(2));
    CHECK(mirror.ask("SELECT count(*) FROM doubts") == 0);
    CHECK(mirror.ask("SELECT count(*) FROM impressions WHERE removed_at IS NOT NULL") == 0);
    soak::expect_exact(mirror.world);
}

TEST_CASE("a mass of rows that are really gone is removed within the day, and pruned if meant") {
    Audited mirror;
    mirror.fill(5000, two_months);
    // Not the oldest ones: those would have expired.
    for (std::int64_t id = 1001; id <= 2000; ++id) {
        mirror.world.account.remove(id);
    }
    const sync::AuditReport first = mirror.audit(true, true);
    CHECK_FALSE(first.agrees());
    CHECK(first.pruned == 0);
    CHECK(first.written.doubted == 1000);
    CHECK(mirror.ask("SELECT count(*) FROM impressions WHERE removed_at IS NOT NULL") == 0);

    mirror.world.follow(std::chrono::hours(3));
    CHECK(mirror.ask("SELECT count(*) FROM impressions WHERE removed_at IS NOT NULL") == 1000);
    CHECK(mirror.ask("SELECT count(*) FROM doubts") == 0);
    soak::expect_exact(mirror.world);
}

TEST_CASE("audit: many removed rows are deleted only if that is meant") {
    Audited mirror;
    mirror.fill(5000, two_months);
    // Not the oldest one: it would have expired.
    mirror.meddle("UPDATE impression_rows SET removed_at = 1 WHERE id BETWEEN 2 AND 1001");
    for (std::int64_t id = 2; id <= 1001; ++id) {
        mirror.world.account.remove(id);
    }
    mirror.world.account.remove(1002);  // so that there is a place to read
    sync::AuditRequest request;
    request.options.repair = true;
    request.options.prune = true;
    const sync::AuditReport refused = mirror.world.audit(request);
    CHECK(refused.pruned == 0);
    CHECK(refused.not_pruned > 100);
    CHECK_FALSE(refused.agrees());
    mirror.world.account.remove(1003);
    request.options.prune_many = true;
    const sync::AuditReport meant = mirror.world.audit(request);
    CHECK(meant.pruned > 100);
    CHECK(meant.not_pruned == 0);
    CHECK(meant.agrees());
}

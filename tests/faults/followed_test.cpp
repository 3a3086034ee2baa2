// What the soak test found, each as a case of its own.
#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>

#include "tests/faults/small_account.hpp"
#include "tests/simulator/generate.hpp"

using namespace mirror;
using namespace mirror::faults;

namespace {

constexpr Instant present{Seconds(1'790'000'000)};

}  // namespace

TEST_CASE("a row that comes late into a backfill before the first sync is found") {
    const Directory directory;
    soak::World world(directory.path() / "impressions.db", present, "Europe/Amsterdam");
    world.settings.start = world.settings.zone.to_local(present - std::chrono::hours(48));
    simulator::RowMaker maker(1);
    for (std::int64_t id = 1; id <= 20; ++id) {
        world.account.add(maker.make(id, present - std::chrono::hours(id), 400));
    }
    SUBCASE("by backfill") {
        sync::BackfillRequest request;
        request.from = world.settings.start;
        CHECK(world.backfill(request).whole());
    }
    SUBCASE("by an audit that repairs what a kill left") {
        sync::AuditRequest request;
        request.options.repair = true;
        world.audit(request);
    }
    soak::expect_exact(world);
    world.account.add(maker.make(21, present - std::chrono::minutes(10), 400));
    world.account.change(1, [](simulator::Row& row) { row.profile = 4711; });
    world.clock.advance(std::chrono::hours(24 * 9));
    CHECK(world.sync().whole());
    soak::expect_exact(world);
}

TEST_CASE("a weekly count that repairs much does not hold up the tail") {
    const Directory directory;
    soak::World world(directory.path() / "impressions.db", present, "Europe/Amsterdam");
    world.settings.start = world.settings.zone.to_local(present - std::chrono::hours(24 * 40));
    world.settings.sweep.reset();
    simulator::RowMaker maker(1);
    std::int64_t id = 0;
    for (int hour = 0; hour < 24 * 40; ++hour) {
        world.account.add(maker.make(++id, present - std::chrono::hours(hour), 400));
    }
    CHECK(world.sync().whole());
    world.clock.advance(std::chrono::hours(24 * 8));
    CHECK(world.sync().whole());
    // Later than any recheck, so that a count finds them.
    for (int place = 1; place < 30; ++place) {
        world.account.add(
            maker.make(++id, present - std::chrono::hours(24 * place) + Seconds(70), 400));
    }
    world.clock.advance(std::chrono::hours(24 * 8));
    CHECK(world.sync().whole());
    soak::expect_exact(world);
    for (int place = 1; place < 30; ++place) {
        world.account.add(
            maker.make(++id, present - std::chrono::hours(24 * place) + Seconds(170), 400));
    }
    world.clock.advance(std::chrono::hours(24 * 8));
    // What is old comes slowly, so that the repair takes an hour or more.
    world.trouble = [&world](const simulator::Request& request) {
        soak::Trouble trouble;
        const LocalTime recent = world.settings.zone.to_local(world.clock.now()) - Seconds(3600);
        if (request.question.begin && *request.question.begin < recent) {
            trouble.latency = std::chrono::seconds(25);
        }
        return trouble;
    };
    const std::uint64_t requests = world.requests();
    world.follow(std::chrono::minutes(90));
    CHECK(world.requests() - requests > 100);
    CHECK(soak::covered(world.file()).windows().back().end >
          world.clock.now() - std::chrono::minutes(5));
}

TEST_CASE("what expires while one run goes on for weeks does not count as removed") {
    const Directory directory;
    soak::World world(directory.path() / "impressions.db", present, "Europe/Amsterdam");
    world.settings.start = world.settings.zone.to_local(present - std::chrono::hours(24 * 60));
    world.settings.sweep = std::chrono::hours(24 * 9);
    world.settings.poll_interval = Seconds(1800);
    simulator::RowMaker maker(1);
    const std::int64_t rows = 24 * 30;
    for (std::int64_t id = 1; id <= rows; ++id) {
        world.account.add(maker.make(id, present - std::chrono::hours(rows - id), 400));
    }
    CHECK(world.sync().whole());
    std::int64_t oldest = 1;
    world.on_arrival = [&] {
        const Instant cutoff = world.clock.now() - std::chrono::hours(24 * 30);
        // Once a day, as accounts do it.
        while (oldest <= rows && present - std::chrono::hours(rows - oldest) <
                                     cutoff - cutoff.time_since_epoch() % std::chrono::hours(24)) {
            world.account.remove(oldest++);
        }
    };
    world.follow(std::chrono::hours(24 * 25));
    CHECK(oldest > 500);
    SQLite::Database sql(world.file().string(), SQLite::OPEN_READONLY);
    CHECK(sql.execAndGet("SELECT count(*) FROM impressions WHERE removed_at IS NULL").getInt64() ==
          rows);
}

TEST_CASE("a backfill that reads everything again leaves what has expired as it is") {
    const Directory directory;
    soak::World world(directory.path() / "impressions.db", present, "Europe/Amsterdam");
    world.settings.start = world.settings.zone.to_local(present - std::chrono::hours(24 * 60));
    simulator::RowMaker maker(1);
    for (std::int64_t id = 1; id <= 200; ++id) {
        world.account.add(maker.make(id, present - std::chrono::hours(5 * id), 400));
    }
    CHECK(world.sync().whole());
    for (std::int64_t id = 150; id <= 200; ++id) {
        world.account.remove(id);
    }
    world.account.remove(20);
    sync::BackfillRequest request;
    request.from = world.settings.start;
    request.force = true;
    world.backfill(request);
    SQLite::Database sql(world.file().string(), SQLite::OPEN_READONLY);
    CHECK(sql.execAndGet("SELECT count(*) FROM impressions WHERE removed_at IS NULL").getInt64() ==
          199);
}

TEST_CASE("an account whose rows expire all at once, in a pause of the mirror") {
    const Directory directory;
    soak::World world(directory.path() / "impressions.db", present, "Europe/Amsterdam");
    world.settings.start = world.settings.zone.to_local(present - std::chrono::hours(24 * 60));
    simulator::RowMaker maker(1);
    for (std::int64_t id = 1; id <= 20; ++id) {
        world.account.add(maker.make(id, present - std::chrono::minutes(id), 400));
    }
    CHECK(world.sync().whole());
    for (std::int64_t id = 1; id <= 20; ++id) {
        world.account.remove(id);
    }
    for (int day = 0; day < 3; ++day) {
        world.clock.advance(std::chrono::hours(24 * 12));
        CHECK(world.sync().whole());
    }
    SQLite::Database sql(world.file().string(), SQLite::OPEN_READONLY);
    CHECK(sql.execAndGet("SELECT count(*) FROM impressions WHERE removed_at IS NULL").getInt64() ==
          20);
    CHECK(sql.execAndGet("SELECT value FROM mirror WHERE key = 'horizon'").getString() != "");
}

TEST_CASE("more rows come late than have expired") {
    const Directory directory;
    soak::World world(directory.path() / "impressions.db", present, "Europe/Amsterdam");
    world.settings.start = world.settings.zone.to_local(present - std::chrono::hours(24 * 60));
    simulator::RowMaker maker(1);
    for (std::int64_t id = 1; id <= 40; ++id) {
        world.account.add(maker.make(id, present - std::chrono::hours(24 * (41 - id)), 400));
    }
    CHECK(world.sync().whole());
    world.clock.advance(std::chrono::hours(24 * 8));
    for (std::int64_t id = 1; id <= 3; ++id) {
        world.account.remove(id);
    }
    for (std::int64_t id = 101; id <= 104; ++id) {
        world.account.add(maker.make(id, present - std::chrono::hours(24 * 20 + id), 400));
    }
    for (int day = 0; day < 3; ++day) {
        CHECK(world.sync().whole());
        world.clock.advance(std::chrono::hours(24 * 8));
    }
    SQLite::Database sql(world.file().string(), SQLite::OPEN_READONLY);
    CHECK(sql.execAndGet("SELECT count(*) FROM impressions").getInt64() == 44);
    CHECK(sql.execAndGet("SELECT count(*) FROM impressions WHERE removed_at IS NOT NULL")
              .getInt64() == 0);
}

// `erase` on a mirror that goes on: weeks of re-reads, and kills and failures at each call to the
// disk.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>

#include "core/plan/retention.hpp"
#include "core/time/text.hpp"
#include "storage/mirror_file.hpp"
#include "tests/faults/each_call.hpp"
#include "tests/faults/small_account.hpp"
#include "tests/simulator/generate.hpp"

using namespace mirror;
using namespace mirror::faults;
using storage::ErasureRule;

namespace {

constexpr Instant present{Seconds(1'790'000'000)};
constexpr std::int64_t person = 777001;
constexpr std::int64_t rows = 60;

// An account of 90 days, of which every tenth row is the person's, and its mirror.
struct Story {
    Story() {
        world.settings.page_size = 15;
        world.settings.start = world.settings.zone.to_local(present - std::chrono::hours(24 * 90));
        simulator::RowMaker maker(1);
        for (std::int64_t id = 1; id <= rows; ++id) {
            world.account.add(maker.make(
                id, present - std::chrono::hours(36 * (rows - id)) - std::chrono::minutes(20),
                400));
            if (id % 10 == 0) {
                world.account.change(id, [](simulator::Row& row) {
                    row.profile = person;
                    row.ip = "198.51.100.77";
                });
            }
        }
        world.disk.heal();
        world.disk.forget();
        world.sync();
    }

    void erase(std::vector<ErasureRule> rules) {
        storage::ErasureRequest request;
        request.streams = {&streams().front()};
        request.rules = std::move(rules);
        const storage::MirrorOptions options{world.file(), world.settings.zone};
        storage::MirrorFile file(options, world.clock.now());
        storage::Eraser eraser = file.eraser();
        eraser.begin(request);
        eraser.finish(world.clock.now(), [this] { return world.clock.now(); });
        cleaned = eraser.clean(std::chrono::milliseconds(500));
    }

    std::string ask(const std::string& question) const {
        SQLite::Database sql(world.file().string(), SQLite::OPEN_READONLY);
        return sql.execAndGet(question).getString();
    }
    std::string fact(const std::string& key) const {
        return ask("SELECT ifnull(max(value), '') FROM mirror WHERE key = '" + key + "'");
    }
    std::string persons() const {
        return ask("SELECT count(*) FROM impressions WHERE profile = " + std::to_string(person));
    }

    // A sync, an audit and a backfill by force find nothing to do. Empty if so.
    std::string complaint(std::int64_t expected) {
        const sync::Outcome outcome = world.sync();
        if (!outcome.whole() || outcome.difference) {
            return "a sync is not whole";
        }
        if (!world.audit({}).agrees()) {
            return "an audit does not agree";
        }
        sync::BackfillRequest all;
        all.from = world.settings.start;
        all.force = true;
        if (!world.backfill(all).whole()) {
            return "a backfill by force is not whole";
        }
        if (fact("count_difference") != "") {
            return "counts differ: " + fact("count_difference");
        }
        if (persons() != "0") {
            return persons() + " rows came back";
        }
        const std::string held = ask("SELECT count(*) FROM impressions WHERE removed_at IS NULL");
        return held == std::to_string(expected) ? "" : held + " rows";
    }

    const Directory directory;
    soak::World world{directory.path() / "impressions.db", present, "Europe/Amsterdam"};
    bool cleaned = false;
};

ErasureRule by_profile() {
    ErasureRule rule;
    rule.kind = ErasureRule::Kind::profile;
    rule.id = person;
    return rule;
}

// The next process finishes an erasure that was begun, or knows nothing of it.
void finish_erasure(Story& story) {
    REQUIRE(story.ask("PRAGMA integrity_check") == "ok");
    const bool forgotten = story.ask("SELECT count(*) FROM erasures") == "0" &&
                           story.ask("SELECT count(*) FROM erased") == "0";
    story.world.clock.advance(std::chrono::minutes(1));
    // Any process that writes finishes what has begun.
    REQUIRE(story.world.sync().whole());
    if (forgotten) {
        REQUIRE(story.persons() == "6");
        REQUIRE(story.fact("entries_erased") == "");
        story.erase({by_profile()});
    }
    REQUIRE(story.ask("SELECT count(*) FROM erasures") == "0");
    REQUIRE(story.ask("SELECT count(*) FROM erased") == "6");
    REQUIRE(story.complaint(rows - 6) == "");
}

// How many records the log says were erased because of their age. It says nothing of none.
std::uint64_t told_as_kept(const std::vector<std::string>& log) {
    constexpr std::string_view erased = "erased ";
    std::uint64_t told = 0;
    for (const std::string& line : log) {
        if (line.rfind(erased, 0) == 0 &&
            line.find("as [privacy] keep says") != std::string::npos) {
            const std::uint64_t records = std::stoull(line.substr(erased.size()));
            CHECK(records > 0);
            told += records;
        }
    }
    return told;
}

constexpr std::chrono::hours sixty_days(24 * 60);

void erase_old(Story& story) {
    story.world.settings.keep = sixty_days;
    story.world.sync();
}

// The next process does what is left.
void finish_retention(Story& story) {
    REQUIRE(story.ask("PRAGMA integrity_check") == "ok");
    story.world.clock.advance(std::chrono::minutes(1));
    erase_old(story);
    const Zone& zone = story.world.settings.zone;
    const std::string from = format_local(
        zone.to_local(plan::kept_from(zone, story.world.clock.now() - Seconds(5), sixty_days)));
    REQUIRE(story.fact("erased_before") == from);
    REQUIRE(story.ask("SELECT count(*) FROM impressions WHERE timestamp < '" + from + "'") == "0");
    const std::string left = story.ask("SELECT count(*) FROM impressions");
    REQUIRE(left == "41");
    REQUIRE(story.fact("rows") == left);
    REQUIRE(story.ask("SELECT count(*) FROM erasures") == "0");
    REQUIRE(story.ask("SELECT count(*) FROM erased_entries") == "0");
    REQUIRE(story.world.audit({}).agrees());
}

}  // namespace

TEST_CASE("erase: weeks of rechecks, sweeps and counts bring nothing back") {
    Story story;
    story.world.settings.sweep = std::chrono::hours(24 * 10);
    REQUIRE(story.persons() == "6");
    story.erase({by_profile()});
    CHECK(story.cleaned);
    for (int week = 0; week < 5; ++week) {
        CAPTURE(week);
        story.world.clock.advance(std::chrono::hours(24 * 4));
        REQUIRE(story.complaint(rows - 6) == "");
    }
    // The account erases the person, too.
    for (std::int64_t id = 10; id <= rows; id += 10) {
        story.world.account.remove(id);
    }
    for (int week = 0; week < 4; ++week) {
        CAPTURE(week);
        story.world.clock.advance(std::chrono::hours(24 * 5));
        const sync::Outcome outcome = story.world.sync();
        CHECK(outcome.whole());
        CHECK_FALSE(outcome.difference);
    }
    CHECK(story.complaint(rows - 6) == "");
    CHECK(story.ask("SELECT count(*) FROM erased WHERE gone_at IS NULL") == "0");
    story.world.follow(std::chrono::hours(6));
    CHECK(story.complaint(rows - 6) == "");
}

TEST_CASE("erase --before: no gap, no difference, and nothing older is fetched again") {
    Story story;
    const LocalTime before =
        story.world.settings.zone.to_local(present - std::chrono::hours(24 * 45));
    ErasureRule rule;
    rule.kind = ErasureRule::Kind::before;
    rule.before = before;
    story.erase({rule, by_profile()});
    const std::string left = story.ask("SELECT count(*) FROM impressions");
    CHECK(story.ask("SELECT min(timestamp) >= '" + format_local(before) + "' FROM impressions") ==
          "1");
    story.world.settings.sweep = std::chrono::hours(24 * 10);
    for (int week = 0; week < 4; ++week) {
        CAPTURE(week);
        story.world.clock.advance(std::chrono::hours(24 * 4));
        REQUIRE(story.complaint(std::stoll(left)) == "");
    }
    story.world.follow(std::chrono::hours(3));
    CHECK(story.complaint(std::stoll(left)) == "");
    CHECK(story.ask("SELECT count(*) FROM runs WHERE unread IS NOT NULL") == "0");
}

TEST_CASE("erase: from the start of an account that was never read, nothing older is fetched") {
    Story story;
    const Directory directory;
    soak::World fresh(directory.path() / "impressions.db", present, "Europe/Amsterdam");
    fresh.settings = story.world.settings;
    simulator::RowMaker maker(1);
    for (std::int64_t id = 1; id <= rows; ++id) {
        fresh.account.add(maker.make(id, present - std::chrono::hours(36 * (rows - id)), 400));
    }
    {
        const storage::MirrorOptions options{fresh.file(), fresh.settings.zone};
        storage::MirrorFile file(options, present);
        storage::ErasureRequest request;
        request.streams = {&streams().front()};
        ErasureRule rule;
        rule.kind = ErasureRule::Kind::before;
        rule.before = fresh.settings.zone.to_local(present - std::chrono::hours(24 * 10));
        request.rules = {rule};
        file.eraser().begin(request);
    }
    CHECK(fresh.sync().whole());
    SQLite::Database sql(fresh.file().string(), SQLite::OPEN_READONLY);
    CHECK(sql.execAndGet("SELECT count(*) FROM impressions").getInt() == 6);
    CHECK(fresh.audit({}).agrees());
}

TEST_CASE("keep: older rows go day by day, without a gap or a difference") {
    Story story;
    story.world.settings.keep = std::chrono::hours(24 * 30);
    story.world.settings.sweep = std::chrono::hours(24 * 10);
    const char* const count = "SELECT count(*) FROM impressions";
    const std::uint64_t all = std::stoull(story.ask(count));
    const auto kept = [&] {
        return story.world.settings.zone.to_local(plan::kept_from(
            story.world.settings.zone, story.world.clock.now(), *story.world.settings.keep));
    };
    for (int week = 0; week < 4; ++week) {
        CAPTURE(week);
        REQUIRE(story.world.sync().whole());
        CHECK(story.fact("erased_before") == format_local(kept()));
        CHECK(story.fact("keep") == "2592000");
        CHECK(story.ask("SELECT ifnull(min(timestamp), '9') >= '" + format_local(kept()) +
                        "' FROM impressions") == "1");
        CHECK(story.world.audit({}).agrees());
        CHECK_FALSE(story.world.sync().difference);
        story.world.follow(std::chrono::hours(2));
        CHECK(story.fact("count_difference") == "");
        story.world.clock.advance(std::chrono::hours(24 * 5));
    }
    CHECK(told_as_kept(story.world.log()) > 0);
    CHECK(told_as_kept(story.world.log()) == all - std::stoull(story.ask(count)));
    // What is kept longer from now on does not come back.
    const std::string bound = story.fact("erased_before");
    story.world.settings.keep = std::chrono::hours(24 * 80);
    REQUIRE(story.world.sync().whole());
    CHECK(story.fact("erased_before") == bound);
    CHECK(story.world.audit({}).agrees());
    story.world.settings.keep.reset();
    REQUIRE(story.world.sync().whole());
    CHECK(story.fact("keep") == "");
    CHECK(story.ask("SELECT min(timestamp) >= '" + bound + "' FROM impressions") == "1");
}

TEST_CASE("keep: a wrong clock of this machine erases nothing that is to be kept") {
    for (const auto error : {std::chrono::hours(24 * 366), std::chrono::hours(-24 * 366)}) {
        CAPTURE(error.count());
        Story story;
        story.world.settings.keep = std::chrono::hours(24 * 30);
        story.world.clock.set_error(error);
        REQUIRE(story.world.sync().whole());
        story.world.follow(std::chrono::hours(2));
        const Zone& zone = story.world.settings.zone;
        const Instant kept =
            plan::kept_from(zone, story.world.clock.now(), *story.world.settings.keep);
        CHECK(story.fact("erased_before") == format_local(zone.to_local(kept)));
        CHECK(story.ask("SELECT count(*) FROM impressions") ==
              story.ask("SELECT count(*) FROM impressions WHERE timestamp >= '" +
                        story.fact("erased_before") + "'"));
        CHECK(story.ask("SELECT count(*) > 10 FROM impressions") == "1");
        CHECK(story.world.audit({}).agrees());
    }
}

TEST_CASE("keep: a first load does not fetch what would be erased") {
    Story story;
    const Directory directory;
    soak::World fresh(directory.path() / "impressions.db", present, "Europe/Amsterdam");
    fresh.settings = story.world.settings;
    fresh.settings.keep = std::chrono::hours(24 * 10);
    simulator::RowMaker maker(1);
    for (std::int64_t id = 1; id <= rows; ++id) {
        fresh.account.add(maker.make(id, present - std::chrono::hours(36 * (rows - id)), 400));
    }
    CHECK(fresh.sync().whole());
    SQLite::Database sql(fresh.file().string(), SQLite::OPEN_READONLY);
    CHECK(sql.execAndGet("SELECT count(*) FROM impressions").getInt() == 7);
    CHECK(sql.execAndGet("SELECT max(inserted) FROM runs").getInt() == 7);
    CHECK(fresh.audit({}).agrees());
}

TEST_CASE("erase: killed at each call that changes something, it is finished by the next process") {
    die_at_each_call<Story>(
        "erase", "during erase", 3, [](Story& story) { story.erase({by_profile()}); },
        finish_erasure);
}

TEST_CASE("erase: each call to the disk fails once, and nothing is half done and forgotten") {
    fail_at_each_call<Story>(
        "erase", "during erase", 5, [](Story& story) { story.erase({by_profile()}); },
        finish_erasure);
}

TEST_CASE("keep: killed at each call that changes something, the next process does the rest") {
    die_at_each_call<Story>("erase", "while old rows are erased", 7, erase_old, finish_retention);
}

TEST_CASE("keep: each call to the disk fails once, and nothing is half done and forgotten") {
    fail_at_each_call<Story>("erase", "while old rows are erased", 11, erase_old, finish_retention);
}

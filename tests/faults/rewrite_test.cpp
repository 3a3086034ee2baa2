// Rewriting a file's rows to what [privacy] keeps: kills and failures at each call to the disk.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/time/text.hpp"
#include "storage/mirror_file.hpp"
#include "storage/rewriter.hpp"
#include "storage/status_reader.hpp"
#include "tests/faults/each_call.hpp"
#include "tests/faults/small_account.hpp"
#include "tests/simulator/generate.hpp"

using namespace mirror;
using namespace mirror::faults;

namespace {

constexpr Instant present{Seconds(1'790'000'000)};
constexpr std::int64_t rows = 60;
constexpr Privacy cut{Privacy::Addresses::network, Privacy::UserAgents::none};
const std::string address = "198.51.100.77";
const std::string agent = "CanaryBrowser/9.9";

// A mirror of everything; then the configuration says that less is kept.
struct Story {
    Story() {
        world.settings.page_size = 15;
        world.settings.start = world.settings.zone.to_local(present - std::chrono::hours(24 * 90));
        simulator::RowMaker maker(1);
        const auto add = [&](std::int64_t id, const auto& change) {
            const Instant at =
                present - std::chrono::hours(34 * (rows + 2 - id)) - std::chrono::minutes(20);
            simulator::Row made = maker.make(id, at, 400);
            made.ip = address;
            made.useragent = agent;
            change(made);
            world.account.add(made);
        };
        for (std::int64_t id = 1; id <= rows; ++id) {
            add(id, [](simulator::Row&) {});
        }
        // Two rejects that are equal without their addresses, in one second.
        for (const std::int64_t last : {1, 2}) {
            add(rows + last, [&](simulator::Row& row) {
                row.at = present - std::chrono::hours(20);
                row.raw = fmt::format(
                    R"({{"ID":"x","timestamp":"{}","ip":"198.51.100.{}","useragent":"{}"}})",
                    format_local(world.settings.zone.to_local(row.at)), last, agent);
            });
        }
        world.disk.heal();
        world.disk.forget();
        world.sync();
        world.privacy = cut;
        storage::MirrorFile file(options(), present);
        file.writer(streams().front())
            .claim_account(ask("SELECT value FROM mirror WHERE key = 'account_id'"), "", present);
    }

    storage::MirrorOptions options() const {
        storage::MirrorOptions made{world.file(), world.settings.zone};
        made.privacy = cut;
        return made;
    }

    void rewrite() {
        while (storage::rewrite_portion(options(), world.clock.now()) == sync::Rewriting::more) {
        }
    }

    std::string ask(const std::string& question) const {
        SQLite::Database sql(world.file().string(), SQLite::OPEN_READONLY);
        return sql.execAndGet(question).getString();
    }

    // Empty if the next process makes all of it right.
    std::string complaint() {
        if (ask("PRAGMA integrity_check") != "ok") {
            return "the file is damaged";
        }
        world.clock.advance(std::chrono::minutes(1));
        if (!world.sync().whole()) {
            return "a sync is not whole";
        }
        const storage::FileStatus status = storage::read_status({world.file()});
        if (status.of(streams().front()).rewriting || status.kept.some_have_less()) {
            return "the file has a mix";
        }
        for (const char* const suffix : {"", "-wal", "-shm"}) {
            std::ifstream stream(world.file().string() + suffix, std::ios::binary);
            const std::string bytes(std::istreambuf_iterator<char>(stream), {});
            for (const std::string& canary : {address, agent, std::string("198.51.100.2")}) {
                if (bytes.find(canary) != std::string::npos) {
                    return canary + " is in the file" + suffix;
                }
            }
        }
        const std::string held = ask("SELECT count(*) FROM impressions WHERE ip = '198.51.100.0'");
        if (held != std::to_string(rows)) {
            return held + " rows";
        }
        if (ask("SELECT sum(copies) FROM rejects") != "2") {
            return "rejects are not counted";
        }
        return world.audit({}).agrees() ? "" : "an audit does not agree";
    }

    const Directory directory;
    soak::World world{directory.path() / "impressions.db", present, "Europe/Amsterdam"};
};

}  // namespace

TEST_CASE("rewriting: weeks of rechecks, sweeps and counts find nothing") {
    Story story;
    story.world.settings.sweep = std::chrono::hours(24 * 10);
    REQUIRE(story.complaint() == "");
    for (int week = 0; week < 4; ++week) {
        CAPTURE(week);
        story.world.clock.advance(std::chrono::hours(24 * 4));
        REQUIRE(story.complaint() == "");
        story.world.follow(std::chrono::hours(2));
    }
    // Everything again: rows have what the API shows as they are read again.
    story.world.privacy = {};
    REQUIRE(story.world.sync().whole());
    CHECK(story.world.audit({}).agrees());
    sync::BackfillRequest all;
    all.from = story.world.settings.start;
    all.force = true;
    REQUIRE(story.world.backfill(all).whole());
    soak::expect_exact(story.world);
}

TEST_CASE("rewriting: `run` does it beside its polls") {
    Story story;
    story.world.follow(std::chrono::minutes(5));
    const auto& log = story.world.log();
    CHECK(std::count(log.begin(), log.end(),
                     "all records have what [privacy] keeps of addresses and user agents") == 1);
    CHECK_FALSE(
        storage::read_status({story.world.file()}).of(streams().front()).rewriting.has_value());
    CHECK(story.complaint() == "");
}

TEST_CASE("rewriting: killed at each call that changes something, the next process goes on") {
    die_at_each_call<Story>(
        "rewriting", "while rows are rewritten", 7, [](Story& story) { story.rewrite(); },
        [](Story& story) { REQUIRE(story.complaint() == ""); });
}

TEST_CASE("rewriting: each call to the disk fails once, and nothing is half done and forgotten") {
    fail_at_each_call<Story>(
        "rewriting", "while rows are rewritten", 11, [](Story& story) { story.rewrite(); },
        [](Story& story) { REQUIRE(story.complaint() == ""); });
}

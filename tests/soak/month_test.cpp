// A month in the life of an account that forgets: every day it drops what is older than forty days,
// unlinks profiles of old rows, and logs rows late, some by more than a week.

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/sync/metadata.hpp"
#include "core/time/text.hpp"
#include "tests/soak/world.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace mirror;
using namespace mirror::soak;
using namespace std::chrono_literals;

namespace {

constexpr Seconds day = 24h;
constexpr Seconds retention = 40 * day;
constexpr int days = 30;
constexpr Instant begin = std::chrono::sys_days{std::chrono::year(2026) / 10 / 10};

// The account, and what became of each of its rows.
class Account {
  public:
    explicit Account(World& world) : world_(world) {
        for (Instant at = begin - 60 * day; at < begin; at += 601s) {
            add(at);
        }
    }

    void add(Instant at) {
        simulator::Row row;
        row.id = next_id_++;
        row.at = at;
        row.mailing = row.id % 7;
        row.profile = row.id % 100;
        world_.account.add(row);
        rows_[row.id] = at;
    }

    // As the account does it in the night.
    void expire() {
        const Instant oldest = world_.clock.now() - retention;
        for (auto row = rows_.begin(); row != rows_.end();) {
            if (row->second < oldest && world_.account.remove(row->first)) {
                ++expired_;
                row = rows_.erase(row);
            } else {
                ++row;
            }
        }
    }

    void unlink(std::int64_t profile) {
        for (const auto& [id, at] : rows_) {
            world_.account.change(id, [&](simulator::Row& row) {
                if (row.profile == profile) {
                    row.profile.reset();
                }
            });
        }
    }

    std::uint64_t expired() const { return expired_; }

  private:
    World& world_;
    std::map<std::int64_t, Instant> rows_;  // those that the API shows
    std::int64_t next_id_ = 1;
    std::uint64_t expired_ = 0;
};

std::string ask(const World& world, const std::string& query) {
    SQLite::Database sql(world.file().string(), SQLite::OPEN_READONLY);
    SQLite::Statement statement(sql, query);
    return statement.executeStep() && !statement.getColumn(0).isNull()
               ? statement.getColumn(0).getString()
               : "NULL";
}

// One day of the account, an hour at a time; `visit` is the mirror's.
template <typename Visit>
void live_a_day(World& world, Account& account, int number, const Visit& visit) {
    const bool quiet = number >= days - 12;  // what changes now may be seen after the month
    account.expire();
    if (!quiet) {
        account.unlink(number);
    }
    for (int hour = 0; hour < 24; ++hour) {
        for (Seconds passed{0}; passed < 1h; passed += 600s) {
            account.add(world.clock.now() + 300s);
            world.clock.advance(600s);
        }
        if (!quiet && hour == 5) {
            account.add(world.clock.now() - 1h);
            account.add(world.clock.now() - 2 * day);
            account.add(world.clock.now() - 10 * day);
        }
        visit();
    }
}

}  // namespace

TEST_CASE("month: a mirror that is synced by the hour, while the account forgets") {
    const test::TemporaryDirectory directory;
    World world(directory.path() / "impressions.db", begin, "Europe/Amsterdam");
    world.settings.sweep = 9 * day;
    world.settings.requests_per_second = 100;
    Account account(world);
    CHECK(world.sync().whole());
    const std::uint64_t first_load = world.requests();

    int incomplete = 0;
    for (int number = 0; number < days; ++number) {
        live_a_day(world, account, number, [&] { incomplete += world.sync().whole() ? 0 : 1; });
    }
    CHECK(incomplete == 0);
    MESSAGE("a month: " << world.requests() - first_load << " requests in " << days * 24
                        << " syncs; the first load took " << first_load);
    CHECK(world.requests() - first_load < 5000);

    // What the API shows, the file has, cell by cell.
    const std::vector<simulator::TrueRow> shown = shown_rows(world);
    std::map<std::int64_t, simulator::TrueRow> held;
    for (const simulator::TrueRow& row : rows_of(world.file())) {
        held.emplace(row.id, row);
    }
    std::size_t wrong = 0;
    for (const simulator::TrueRow& row : shown) {
        const auto found = held.find(row.id);
        wrong += found == held.end() || !(found->second == row) ? 1 : 0;
    }
    CHECK(wrong == 0);
    // What it dropped, the file keeps, and does not take for removed.
    CHECK(account.expired() > 4000);
    CHECK(held.size() == shown.size() + account.expired());
    CHECK(ask(world, "SELECT count(*) FROM impressions WHERE removed_at IS NOT NULL") == "0");

    // The horizon was proven, lately, and nothing that is shown is before it.
    const auto horizon =
        sync::metadata::read_instant(ask(world, "SELECT value FROM mirror WHERE key = 'horizon'"));
    REQUIRE(horizon);
    CHECK(*horizon <= world.clock.now() - retention);
    CHECK(*horizon >= world.clock.now() - retention - 10 * day);
    CHECK(ask(world, "SELECT value FROM mirror WHERE key = 'count_difference'") == "");
    CHECK(std::stoull(ask(world, "SELECT value FROM mirror WHERE key = 'rows_before_horizon'")) >
          2000);
}

TEST_CASE("month: `run` does the same") {
    const test::TemporaryDirectory directory;
    World world(directory.path() / "impressions.db", begin, "Europe/Amsterdam");
    world.settings.sweep = 9 * day;
    world.settings.poll_interval = Seconds(1800);
    world.settings.requests_per_second = 100;
    Account account(world);
    CHECK(world.sync().whole());
    for (int number = 0; number < days; ++number) {
        live_a_day(world, account, number, [] {});
        world.follow(3h);
    }
    CHECK(world.sync().whole());
    const std::vector<simulator::TrueRow> shown = shown_rows(world);
    CHECK(rows_of(world.file()).size() == shown.size() + account.expired());
    CHECK(ask(world, "SELECT count(*) FROM impressions WHERE removed_at IS NOT NULL") == "0");
}

TEST_CASE("month: one hour in which the API hides what is older than a week moves no horizon") {
    const test::TemporaryDirectory directory;
    World world(directory.path() / "impressions.db", begin, "Europe/Amsterdam");
    Account account(world);
    CHECK(world.sync().whole());
    world.clock.advance(8 * day);  // a count is due
    std::vector<simulator::Row> hidden;
    for (std::int64_t id = 1; id <= 7000; ++id) {
        world.account.change(id, [&](simulator::Row& row) { hidden.push_back(row); });
        world.account.remove(id);
    }
    world.sync();
    CHECK(ask(world, "SELECT count(*) FROM impressions WHERE removed_at IS NOT NULL") == "0");
    for (const simulator::Row& row : hidden) {
        world.account.add(row);
    }
    world.clock.advance(day + 1h);
    CHECK(world.sync().whole());
    expect_exact(world);
    const std::string horizon = ask(world, "SELECT value FROM mirror WHERE key = 'horizon'");
    CHECK((horizon.empty() || horizon == "NULL"));
    CHECK(ask(world, "SELECT value FROM mirror WHERE key = 'horizon_pending'") == "");
}

TEST_CASE("month: an account that is silent until all its rows have expired") {
    const test::TemporaryDirectory directory;
    World world(directory.path() / "impressions.db", begin, "Europe/Amsterdam");
    Account account(world);
    CHECK(world.sync().whole());
    const std::uint64_t rows = rows_of(world.file()).size();
    for (int number = 0; number < 60; ++number) {
        account.expire();
        const std::uint64_t before = world.requests();
        CHECK(world.sync().whole());
        CHECK(world.requests() - before < 120);
        world.clock.advance(day);
    }
    CHECK(shown_rows(world).empty());
    CHECK(rows_of(world.file()).size() == rows);
    const auto horizon =
        sync::metadata::read_instant(ask(world, "SELECT value FROM mirror WHERE key = 'horizon'"));
    REQUIRE(horizon);
    CHECK(*horizon >= begin - day);
    CHECK(*horizon <= begin + day);
    // And from then on hardly a request.
    const std::uint64_t before = world.requests();
    for (int visit = 0; visit < 48; ++visit) {
        CHECK(world.sync().whole());
        world.clock.advance(1800s);
    }
    CHECK(world.requests() - before < 48 * 8);
}

TEST_CASE("month: an ID that comes back as another impression is reported") {
    const test::TemporaryDirectory directory;
    World world(directory.path() / "impressions.db", begin, "Europe/Amsterdam");
    Account account(world);
    CHECK(world.sync().whole());
    world.account.change(7, [](simulator::Row& row) {
        row.at = begin - 60s;
        row.mailing = 99;
    });
    world.clock.advance(600s);
    CHECK(world.sync().whole());
    const auto& log = world.log();
    CHECK(std::any_of(log.begin(), log.end(), [](const std::string& line) {
        return line.rfind(
                   "ID 7 is another impression now: 2026-10-10 01:59:00, mailing 99; it was ", 0) ==
               0;
    }));
}

TEST_CASE("month: an audit that prunes keeps what has expired, unless it is told to") {
    const test::TemporaryDirectory directory;
    World world(directory.path() / "impressions.db", begin, "Europe/Amsterdam");
    Account account(world);
    CHECK(world.sync().whole());
    const std::size_t rows = rows_of(world.file()).size();
    account.expire();
    const std::size_t shown = shown_rows(world).size();
    CHECK(account.expired() > 2000);
    sync::AuditRequest request;
    request.options.repair = true;
    request.options.prune = true;
    // Before anything is proven.
    CHECK(world.audit(request).agrees());
    CHECK(rows_of(world.file()).size() == rows);
    // A row that is really gone.
    world.account.remove(8000);
    CHECK(world.audit(request).pruned == 1);
    for (int visit = 0; visit < 3; ++visit) {
        world.clock.advance(8 * day);
        CHECK(world.sync().whole());
        world.clock.advance(day);
        CHECK(world.sync().whole());
    }
    CHECK(world.audit(request).agrees());
    CHECK(rows_of(world.file()).size() == rows - 1);
    request.before_horizon = true;
    CHECK(world.audit(request).pruned == rows - shown);
    CHECK(rows_of(world.file()).size() == shown - 1);
}

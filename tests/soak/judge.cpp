// What must be true of the file.
#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

#include "core/time/text.hpp"
#include "storage/status_reader.hpp"
#include "tests/soak/world.hpp"

namespace mirror::soak {
namespace {

std::optional<std::int64_t> integer(const SQLite::Column& column) {
    return column.isNull() ? std::nullopt : std::optional(column.getInt64());
}

std::optional<std::string> text(const SQLite::Column& column) {
    return column.isNull() ? std::nullopt : std::optional(column.getString());
}

std::string words(const simulator::TrueRow& row) {
    const auto shown = [](const auto& value) {
        return value ? fmt::format("{}", *value) : std::string("NULL");
    };
    return fmt::format("{} mailing {} at {} ip {} useragent {} device {} to {} profile {}/{}",
                       row.id, shown(row.mailing), row.timestamp, shown(row.ip),
                       shown(row.useragent), shown(row.device), shown(row.destination),
                       shown(row.profile), shown(row.subprofile));
}

std::string ask(SQLite::Database& sql, const std::string& query) {
    SQLite::Statement statement(sql, query);
    return statement.executeStep() ? text(statement.getColumn(0)).value_or("NULL") : "no row";
}

// An empty answer if the file has no such fact: no write has come to its end yet.
void expect_counted(SQLite::Database& sql, const std::string& fact, const std::string& query) {
    const std::string kept = ask(sql, "SELECT value FROM mirror WHERE key = '" + fact + "'");
    const std::string counted = ask(sql, query);
    if (kept != counted && !(kept == "no row" && counted == "0")) {
        throw Broken(fmt::format("the fact {} says {}, the file has {}", fact, kept, counted));
    }
}

void expect_merged(SQLite::Database& sql, Instant now) {
    SQLite::Statement periods(sql, R"(SELECT age, "begin", "end" FROM coverage
                                      ORDER BY age, "begin")");
    std::optional<std::int64_t> age;
    std::int64_t end = 0;
    while (periods.executeStep()) {
        const bool same_age = age == periods.getColumn(0).getInt64();
        age = periods.getColumn(0).getInt64();
        const std::int64_t begin = periods.getColumn(1).getInt64();
        if (same_age && begin <= end) {
            throw Broken("covered periods of one age touch");
        }
        end = periods.getColumn(2).getInt64();
        if (end <= begin || end > now.time_since_epoch().count() - *age) {
            throw Broken(fmt::format("covered at age {}: {} to {}, and it is {}", *age, begin, end,
                                     now.time_since_epoch().count()));
        }
    }
}

}  // namespace

bool is_made(const std::filesystem::path& file) {
    std::error_code absent;
    const auto journal = std::filesystem::file_size(file.string() + "-journal", absent);
    const bool half_made = !absent && journal > 0;
    return !half_made && std::filesystem::exists(file) && std::filesystem::file_size(file) > 0;
}

void expect_sound(const std::filesystem::path& file, Instant now) {
    if (!is_made(file)) {
        return;
    }
    SQLite::Database sql(file.string(), SQLite::OPEN_READONLY);
    if (const std::string found = ask(sql, "PRAGMA integrity_check"); found != "ok") {
        throw Broken("the file is damaged: " + found);
    }
    if (ask(sql, "PRAGMA foreign_key_check") != "no row") {
        throw Broken("a row has a user agent that is not there");
    }
    expect_counted(sql, "rows", "SELECT count(*) FROM impression_rows");
    expect_counted(sql, "removed",
                   "SELECT count(*) FROM impression_rows WHERE removed_at IS NOT NULL");
    expect_counted(sql, "rejects", "SELECT count(*) FROM rejects");
    expect_merged(sql, now);
    storage::StatusOptions options;
    options.path = file;
    storage::read_status(options);
}

WindowSet covered(const std::filesystem::path& file, std::int64_t age) {
    WindowSet all;
    if (!is_made(file)) {
        return all;
    }
    SQLite::Database sql(file.string(), SQLite::OPEN_READONLY);
    SQLite::Statement periods(sql, R"(SELECT "begin", "end" FROM coverage WHERE age = ?)");
    periods.bind(1, age);
    while (periods.executeStep()) {
        all.add({Instant(Seconds(periods.getColumn(0).getInt64())),
                 Instant(Seconds(periods.getColumn(1).getInt64()))});
    }
    return all;
}

std::vector<simulator::TrueRow> rows_of(const std::filesystem::path& file) {
    std::vector<simulator::TrueRow> rows;
    if (!is_made(file)) {
        return rows;
    }
    SQLite::Database sql(file.string(), SQLite::OPEN_READONLY);
    SQLite::Statement select(sql, R"(
        SELECT id, mailing, timestamp, ip, useragent, device, destination, profile, subprofile
        FROM impressions WHERE removed_at IS NULL ORDER BY id)");
    while (select.executeStep()) {
        simulator::TrueRow& row = rows.emplace_back();
        row.id = select.getColumn(0).getInt64();
        row.mailing = integer(select.getColumn(1));
        row.timestamp = select.getColumn(2).getString();
        row.ip = text(select.getColumn(3));
        row.useragent = text(select.getColumn(4));
        row.device = text(select.getColumn(5));
        row.destination = integer(select.getColumn(6));
        row.profile = integer(select.getColumn(7));
        row.subprofile = integer(select.getColumn(8));
    }
    return rows;
}

void expect_covered_rows(const std::filesystem::path& file,
                         const std::map<std::int64_t, Instant>& rows) {
    const WindowSet claimed = covered(file);
    const std::vector<simulator::TrueRow> held = rows_of(file);
    for (const auto& [id, at] : rows) {
        if (!claimed.contains({at, at + Seconds(1)})) {
            continue;
        }
        const auto found = std::lower_bound(
            held.begin(), held.end(), id,
            [](const simulator::TrueRow& row, std::int64_t wanted) { return row.id < wanted; });
        if (found == held.end() || found->id != id) {
            throw Broken(fmt::format("covered, but not there: {} of {}", id, format_utc(at)));
        }
    }
}

std::vector<simulator::TrueRow> shown_rows(const World& world) {
    std::vector<simulator::TrueRow> rows = world.account.truth(world.clock.now());
    if (!world.behaviour.profile_fields) {
        for (simulator::TrueRow& row : rows) {
            row.profile.reset();
            row.subprofile.reset();
        }
    }
    return rows;
}

namespace {

// Both records of an ID are kept: the one that is not the row is a reject.
void expect_both_kept(SQLite::Database& sql, const std::vector<simulator::TrueRow>& shown,
                      const std::vector<simulator::TrueRow>& held) {
    SQLite::Statement kept(sql, "SELECT 1 FROM rejects WHERE id = ? AND timestamp = ?");
    for (const simulator::TrueRow& row : shown) {
        if (std::find(held.begin(), held.end(), row) != held.end()) {
            continue;
        }
        kept.bind(1, row.id);
        kept.bind(2, row.timestamp);
        if (!kept.executeStep()) {
            throw Broken("a record that another one has the ID of is lost: " + words(row));
        }
        kept.reset();
    }
}

void expect_rejects(SQLite::Database& sql, const World& world, const Excuses& excuses) {
    const std::uint64_t rejects = std::stoull(ask(sql, "SELECT count(*) FROM rejects"));
    const std::uint64_t least = world.account.malformed(world.clock.now());
    const std::uint64_t most = least + excuses.malformed_expired + excuses.doubled.size();
    if (rejects < least || rejects > most) {
        throw Broken(
            fmt::format("{} to {} records are not rows, the file has {}", least, most, rejects));
    }
}

// What has expired is not removed.
void expect_none_removed(SQLite::Database& sql, const std::set<std::int64_t>& expired) {
    SQLite::Statement removed(sql, "SELECT id FROM impressions WHERE removed_at IS NOT NULL");
    while (removed.executeStep()) {
        const std::int64_t id = removed.getColumn(0).getInt64();
        if (expired.contains(id)) {
            throw Broken(fmt::format("row {} has expired, and counts as removed", id));
        }
    }
}

}  // namespace

void expect_exact(const World& world, const Excuses& excuses) {
    std::vector<simulator::TrueRow> truth = shown_rows(world);
    std::vector<simulator::TrueRow> held = rows_of(world.file());
    const auto is_double = [&excuses](const simulator::TrueRow& row) {
        return excuses.doubled.contains(row.id);
    };
    SQLite::Database sql(world.file().string(), SQLite::OPEN_READONLY);
    std::vector<simulator::TrueRow> doubles;
    std::copy_if(truth.begin(), truth.end(), std::back_inserter(doubles), is_double);
    expect_both_kept(sql, doubles, held);
    std::erase_if(truth, [&](const simulator::TrueRow& row) {
        return is_double(row) || excuses.erased.contains(row.id);
    });
    std::erase_if(held, [&](const simulator::TrueRow& row) {
        return is_double(row) || excuses.expired.contains(row.id) ||
               excuses.unknown.contains(row.id);
    });
    const auto [shown, stored] =
        std::mismatch(truth.begin(), truth.end(), held.begin(), held.end());
    if (shown != truth.end() || stored != held.end()) {
        std::string difference =
            fmt::format("the API shows {} rows, the file has {}", truth.size(), held.size());
        if (shown != truth.end()) {
            difference += "\n  API:  " + words(*shown);
        }
        if (stored != held.end()) {
            difference += "\n  file: " + words(*stored);
        }
        throw Broken(difference);
    }
    expect_rejects(sql, world, excuses);
    expect_none_removed(sql, excuses.expired);
}

}  // namespace mirror::soak

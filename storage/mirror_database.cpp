#include "storage/mirror_database.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include <SQLiteCpp/Statement.h>

#include "storage/errors.hpp"
#include "storage/metadata.hpp"
#include "storage/migrations.hpp"
#include "storage/sqlite/file_check.hpp"
#include "storage/stream_schema.hpp"

namespace mirror::storage {
namespace {

// Of a file of any version: before version 3, facts had no stream. No stream has this one.
std::string zone_of(SQLite::Database& sql) {
    SQLite::Statement zone(sql, "SELECT value FROM mirror WHERE key = ?");
    zone.bind(1, fact_key::time_zone);
    return zone.executeStep() ? zone.getColumn(0).getString() : "(none)";
}

void refuse_other_zone(SQLite::Database& sql, const std::filesystem::path& file,
                       const std::string& configured) {
    const std::string kept = zone_of(sql);
    if (kept != configured) {
        throw OtherZone("database " + file.string() + ": its timestamps are local to " + kept +
                        ", but " + configured + " is configured; set time_zone = \"" + kept +
                        "\", or name another file");
    }
}

// What version 2 had of them.
constexpr std::array<std::string_view, 4> names_of_version_2{"impressions", "impression_rows",
                                                             "user_agents", "covered_periods"};

// What the step to version 3 makes beside the streams' tables, for good or for a moment.
constexpr std::array<std::string_view, 13> made_by_migration{
    "doubts",     "requests",   "erased",       "erasures",   "erased_entries",
    "open_rules", "open_kinds", "local_months", "coverage_2", "rejects_2",
    "lateness_2", "runs_2",     "mirror_2"};

// People may have made tables and views of their own in an older file, and given them names that
// are ours now.
void refuse_taken_names(SQLite::Database& sql, int version) {
    if (version > 2) {
        return;
    }
    SQLite::Statement taken(sql, "SELECT type FROM sqlite_schema WHERE name = ? COLLATE NOCASE");
    std::vector<std::string> names = schema_names();
    names.insert(names.end(), made_by_migration.begin(), made_by_migration.end());
    for (const std::string& name : names) {
        taken.bind(1, name);
        const bool ours = std::find(names_of_version_2.begin(), names_of_version_2.end(), name) !=
                          names_of_version_2.end();
        if (!ours && taken.executeStep()) {
            const std::string type = taken.getColumn(0).getString();
            throw DatabaseError(DatabaseErrorKind::foreign,
                                "database " + std::string(sql.getFilename()) + " has a " + type +
                                    " " + name +
                                    ", which is not this program's, and a name that "
                                    "it needs from this version on; rename the " +
                                    type + ", or drop it");
        }
        taken.reset();
    }
}

// In a rollback journal, so that the file's own header is ours from the first commit on, and
// whoever looks at it needs no log. SQLite sets WAL only outside of a transaction.
void create(SQLite::Database& sql, const MirrorOptions& options, Instant now) {
    create_schema(sql, [&] {
        Facts facts(sql);
        facts.set(fact_key::time_zone, options.zone.name());
        facts.set(fact_key::created_at, now.time_since_epoch().count());
    });
}

}  // namespace

Database open_mirror(const MirrorOptions& options, Instant now) {
    check_index_names(options.indexes);
    for (const auto& [stream, columns] : options.stream_indexes) {
        check_index_names(columns);
    }
    DatabaseOptions database;
    database.path = options.path;
    database.format = file_format;
    database.busy_timeout = options.busy_timeout;
    database.progressing = options.progressing;
    return Database(database, [&](SQLite::Database& sql, std::optional<int> version) {
        if (!version) {
            create(sql, options, now);
            return;
        }
        refuse_other_zone(sql, sql.getFilename(), options.zone.name());
        if (*version < schema_version) {
            refuse_taken_names(sql, *version);
            migrate(sql, *version, migrations());
        }
    });
}

void refuse_unless_mirror(const std::filesystem::path& file) {
    refuse_unless_ours(file, file_format);
}

SQLite::Database open_mirror_read_only(const std::filesystem::path& file,
                                       std::chrono::milliseconds busy_timeout) {
    return open_read_only(file, file_format, busy_timeout);
}

}  // namespace mirror::storage

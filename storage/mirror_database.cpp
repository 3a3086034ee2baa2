#include "storage/mirror_database.hpp"

#include <optional>

#include "storage/errors.hpp"
#include "storage/metadata.hpp"
#include "storage/migrations.hpp"
#include "storage/sql.hpp"
#include "storage/sqlite/file_check.hpp"

namespace mirror::storage {
namespace {

void refuse_other_zone(SQLite::Database& sql, const std::filesystem::path& file,
                       const std::string& configured) {
    const std::string kept = Facts(sql).get(fact_key::time_zone).value_or(std::string("(none)"));
    if (kept != configured) {
        throw OtherZone("database " + file.string() + ": its timestamps are local to " + kept +
                        ", but " + configured + " is configured; set time_zone = \"" + kept +
                        "\", or name another file");
    }
}

// In a rollback journal, so that the file's own header is ours from the first commit on, and
// whoever looks at it needs no log. SQLite sets WAL only outside of a transaction.
void create(SQLite::Database& sql, const MirrorOptions& options, Instant now) {
    create_schema(sql, [&] {
        Facts facts(sql);
        facts.set(fact_key::time_zone, options.zone.name());
        facts.set(fact_key::created_at, now.time_since_epoch().count());
        match_indexes(sql, options.indexes);
    });
}

}  // namespace

Database open_mirror(const MirrorOptions& options, Instant now) {
    check_index_names(options.indexes);
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
            migrate(sql, *version, migrations(), sql::views);
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

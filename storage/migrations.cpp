#include "storage/migrations.hpp"

#include <array>
#include <string>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Transaction.h>

#include "storage/sql.hpp"

namespace mirror::storage {
namespace {

// Not released yet: whatever 0.2.0 needs is one step.
constexpr std::string_view to_version_3 = R"sql(
    ALTER TABLE rejects ADD COLUMN id INTEGER;
    CREATE INDEX rejects_id ON rejects (id) WHERE id IS NOT NULL;
    CREATE TABLE doubts (
        noticed_at INTEGER NOT NULL,
        "begin"    INTEGER NOT NULL,
        "end"      INTEGER NOT NULL,
        rows       INTEGER NOT NULL
    );
    CREATE UNIQUE INDEX doubts_unique ON doubts ("begin");
    CREATE TABLE requests (
        day      TEXT PRIMARY KEY NOT NULL,
        requests INTEGER NOT NULL
    );
)sql";

}  // namespace

std::span<const Migration> migrations() {
    static constexpr std::array<Migration, 2> steps{{
        {2, "ALTER TABLE rejects ADD COLUMN copies INTEGER NOT NULL DEFAULT 1"},
        {3, to_version_3},  // and the view covered_periods gets the ages
    }};
    return steps;
}

void create_schema(SQLite::Database& sql, const std::function<void()>& fill) {
    // Deferred, since auto_vacuum must come before the first page; and inside, since it writes that
    // page: a kill in between would leave a file that is neither empty nor ours.
    SQLite::Transaction transaction(sql);
    sql.exec("PRAGMA auto_vacuum = INCREMENTAL");
    sql.exec(sql::schema);
    sql.exec(sql::views);
    sql.exec("PRAGMA application_id = " + std::to_string(application_id));
    sql.exec("PRAGMA user_version = " + std::to_string(schema_version));
    fill();
    transaction.commit();
}

void migrate(SQLite::Database& sql, int from, std::span<const Migration> steps,
             std::string_view views) {
    SQLite::Transaction transaction(sql, SQLite::TransactionBehavior::IMMEDIATE);
    sql.exec("DROP VIEW IF EXISTS impressions; DROP VIEW IF EXISTS covered_periods");
    for (const Migration& step : steps) {
        if (step.version > from) {
            sql.exec(std::string(step.sql));
            sql.exec("PRAGMA user_version = " + std::to_string(step.version));
        }
    }
    sql.exec(std::string(views));
    transaction.commit();
}

}  // namespace mirror::storage

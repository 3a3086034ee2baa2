#include "storage/migrations.hpp"

#include <array>
#include <string>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Transaction.h>

#include "storage/sql.hpp"
#include "storage/stream_schema.hpp"

namespace mirror::storage {

std::span<const Migration> migrations() {
    static const std::array<Migration, 2> steps{{
        {2, "ALTER TABLE rejects ADD COLUMN copies INTEGER NOT NULL DEFAULT 1"},
        {3, sql::migration_3},
    }};
    return steps;
}

void show_as_current(SQLite::Database& sql) {
    if (sql.execAndGet("PRAGMA user_version").getInt() >= 3) {
        return;
    }
    sql.exec("PRAGMA temp_store = MEMORY");
    sql.exec(sql::version_2_as_3);
}

void create_schema(SQLite::Database& sql, const std::function<void()>& fill) {
    // Deferred, since auto_vacuum must come before the first page; and inside, since it writes that
    // page: a kill in between would leave a file that is neither empty nor ours.
    SQLite::Transaction transaction(sql);
    sql.exec("PRAGMA auto_vacuum = INCREMENTAL");
    sql.exec(sql::schema);
    sql.exec(stream_tables_sql());
    sql.exec(views_sql());
    sql.exec("PRAGMA application_id = " + std::to_string(application_id));
    sql.exec("PRAGMA user_version = " + std::to_string(schema_version));
    fill();
    transaction.commit();
}

void migrate(SQLite::Database& sql, int from, std::span<const Migration> steps) {
    SQLite::Transaction transaction(sql, SQLite::TransactionBehavior::IMMEDIATE);
    sql.exec(drop_views_sql());
    for (const Migration& step : steps) {
        if (step.version > from) {
            sql.exec(std::string(step.sql));
            sql.exec("PRAGMA user_version = " + std::to_string(step.version));
        }
    }
    sql.exec(stream_tables_sql());
    sql.exec(views_sql());
    transaction.commit();
}

}  // namespace mirror::storage

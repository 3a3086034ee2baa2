#include "storage/database.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <string_view>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>

#include "storage/file_check.hpp"
#include "storage/metadata.hpp"
#include "storage/migrations.hpp"
#include "storage/sql.hpp"
#include "storage/sqlite/log_padding.hpp"
#include "storage/sqlite/page_writes.hpp"

namespace mirror::storage {
namespace {

constexpr std::array<std::string_view, 4> optional_indexes{"mailing", "destination", "profile",
                                                           "changed_at"};

// The whole program is to stay under 32 MB; beyond some megabytes a larger cache does not load
// faster.
constexpr char cache[] = "PRAGMA cache_size = -4096";
// What remains of a log that had to grow, once it starts anew.
constexpr char log_limit[] = "PRAGMA journal_size_limit = 16777216";
// How long an attempt to empty the log may hold up the rows that wait.
constexpr auto truncation_patience = std::chrono::milliseconds(100);

// Instructions of SQLite's machine between two signs of progress: some tenths of a millisecond.
constexpr int steps_between_signs = 20'000;

int sign_of_progress(void* function) {
    (*static_cast<const std::function<void()>*>(function))();
    return 0;  // go on
}

int as_milliseconds(std::chrono::milliseconds duration) {
    return static_cast<int>(duration.count());
}

void refuse_other_zone(SQLite::Database& sql, const std::filesystem::path& file,
                       const std::string& configured) {
    const std::string kept = Facts(sql).get(fact_key::time_zone).value_or(std::string("(none)"));
    if (kept != configured) {
        throw OtherZone("database " + file.string() + ": its timestamps are local to " + kept +
                        ", but " + configured + " is configured; set time_zone = \"" + kept +
                        "\", or name another file");
    }
}

// What holds for SQLite in the whole process; only before its first use there, and without harm
// later. A statement that might have to be undone alone keeps a journal: SQLite puts all but the
// first 64 kB of a transaction's into a file. It holds no more than the pages that one statement
// touches, so it stays in memory. Statistics of memory cost a lock for each allocation, and nobody
// reads them.
void configure_sqlite() {
    static const int result = sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1) |
                              sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    static_cast<void>(result);
}

void keep_log_on_close(SQLite::Database& sql) {
    int persist = 1;
    sqlite3_file_control(sql.getHandle(), "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
}

}  // namespace

void check_index_names(const std::set<std::string>& indexes) {
    for (const std::string& name : indexes) {
        if (std::find(optional_indexes.begin(), optional_indexes.end(), name) ==
            optional_indexes.end()) {
            throw std::invalid_argument("no such index: \"" + name +
                                        "\"; known are mailing, destination, profile, changed_at");
        }
    }
}

Database::Database(DatabaseOptions options, Instant now)
    : options_((check_index_names(options.indexes), std::move(options))),
      path_(ensure_file(options_.path)),
      // Judged before even a lock file is left beside it.
      lock_((refuse_unless_ours(path_), path_)) {
    const WriteLock lock(lock_, options_.busy_timeout);
    connect();
    try {
        guarded([&] { prepare(now); });
    } catch (...) {
        sql_.reset();  // under the lock, too
        throw;
    }
}

Database::~Database() {
    try {
        const WriteLock lock(lock_, options_.busy_timeout);
        sql_.reset();
    } catch (const DatabaseError&) {
        checkpoint_on_close(false);
        sql_.reset();
    }
}

void Database::connect() {
    configure_sqlite();
    count_page_writes();
    try {
        // A file is used by one thread at a time (see MirrorFile), so no call needs a lock.
        sql_ = std::make_unique<SQLite::Database>(path_.string(),
                                                  SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX,
                                                  as_milliseconds(options_.busy_timeout));
    } catch (const SQLite::Exception& error) {
        throw explain_open(error, path_);
    }
    if (options_.progressing) {
        sqlite3_progress_handler(sql_->getHandle(), steps_between_signs, sign_of_progress,
                                 &options_.progressing);
    }
    // Until the file is accepted, closing must not change it.
    checkpoint_on_close(false);
    if (sqlite3_db_readonly(sql_->getHandle(), "main") != 0) {
        throw explain_system("write to it", EACCES, path_);
    }
}

void Database::prepare(Instant now) {
    SQLite::Database& sql = *sql_;
    sql.exec(cache);
    keep_log_on_close(sql);
    if (sql.execAndGet("PRAGMA page_count").getInt() == 0) {
        create(now);
    } else {
        const int version = sql.execAndGet("PRAGMA user_version").getInt();
        refuse_unless_ours(path_, sql.execAndGet("PRAGMA application_id").getInt(), version);
        refuse_other_zone(sql, path_, options_.time_zone);
        if (version < schema_version) {
            migrate(sql, version, migrations(), sql::views);
        }
    }
    if (sql.execAndGet("PRAGMA journal_mode = WAL").getString() != "wal") {
        throw DatabaseError(DatabaseErrorKind::io,
                            "database " + path_.string() +
                                ": this file system cannot carry SQLite's write-ahead log; put "
                                "the file on a local disk");
    }
    sql.exec("PRAGMA synchronous = NORMAL");
    sql.exec(log_limit);
    // The first read is what makes -wal and -shm: they must be there for readers from now on.
    sql.execAndGet("SELECT count(*) FROM sqlite_schema");
    pad_empty_log(path_);
    checkpoint_on_close(true);
}

// In a rollback journal, so that the file's own header is ours from the first commit on, and
// whoever looks at it needs no log. SQLite sets WAL only outside of a transaction.
void Database::create(Instant now) {
    create_schema(*sql_, [&] {
        Facts facts(*sql_);
        facts.set(fact_key::time_zone, options_.time_zone);
        facts.set(fact_key::created_at, now.time_since_epoch().count());
        match_indexes();
    });
}

void Database::match_indexes() {
    for (const std::string_view column : optional_indexes) {
        const std::string name = "impression_rows_" + std::string(column);
        if (options_.indexes.contains(std::string(column))) {
            sql_->exec("CREATE INDEX IF NOT EXISTS " + name + " ON impression_rows (" +
                       std::string(column) + ")");
        } else {
            sql_->exec("DROP INDEX IF EXISTS " + name);
        }
    }
}

void Database::refuse_if_moved() {
    int moved = 0;
    sqlite3_file_control(sql_->getHandle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (moved != 0) {
        throw DatabaseError(DatabaseErrorKind::absent,
                            "database " + path_.string() +
                                ": moved, replaced or deleted while it was open; start again, and "
                                "stop the program before the file is moved");
    }
}

void Database::checkpoint_on_close(bool wanted) noexcept {
    sqlite3_db_config(sql_->getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, wanted ? 0 : 1, nullptr);
}

DatabaseError Database::explained(const SQLite::Exception& error) const {
    return explain(error, sqlite3_system_errno(sql_->getHandle()), path_);
}

Database::Checkpoint Database::truncate_log(std::uintmax_t least_bytes) {
    std::error_code failure;
    const auto size = std::filesystem::file_size(path_.string() + "-wal", failure);
    if (failure || size < least_bytes) {
        return Checkpoint::not_needed;
    }
    if (!lock_.lock(FileLock::Part::write, truncation_patience)) {
        return Checkpoint::busy;
    }
    sqlite3* const handle = sql_->getHandle();
    sqlite3_busy_timeout(handle, as_milliseconds(truncation_patience));
    // What goes wrong here loses nothing: the rows are in the log, and the next write says it too.
    const int result =
        sqlite3_wal_checkpoint_v2(handle, "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    sqlite3_busy_timeout(handle, as_milliseconds(options_.busy_timeout));
    pad_empty_log(path_);
    lock_.unlock(FileLock::Part::write);
    return result == SQLITE_OK ? Checkpoint::done : Checkpoint::busy;
}

WriteTransaction::WriteTransaction(Database& database)
    : database_(database), lock_(database.lock_, database.options_.busy_timeout) {
    database_.refuse_if_moved();
    database_.sql().exec("BEGIN IMMEDIATE");
}

WriteTransaction::~WriteTransaction() {
    // SQLite ends some transactions by itself, where the error was grave.
    if (sqlite3_get_autocommit(database_.sql().getHandle()) == 0) {
        sqlite3_exec(database_.sql().getHandle(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
}

void WriteTransaction::commit() {
    database_.sql().exec("COMMIT");
}

SQLite::Database open_read_only(const std::filesystem::path& file,
                                std::chrono::milliseconds busy_timeout) {
    const auto path = existing_file(file);
    try {
        SQLite::Database sql(path.string(), SQLite::OPEN_READONLY, as_milliseconds(busy_timeout));
        sqlite3_db_config(sql.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
        keep_log_on_close(sql);
        try {
            if (sql.execAndGet("PRAGMA page_count").getInt() == 0) {
                throw DatabaseError(
                    DatabaseErrorKind::absent,
                    "database " + path.string() + ": empty; create the mirror with `sync`");
            }
            refuse_unless_ours(path, sql.execAndGet("PRAGMA application_id").getInt(),
                               sql.execAndGet("PRAGMA user_version").getInt());
        } catch (const SQLite::Exception& error) {
            throw explain(error, sqlite3_system_errno(sql.getHandle()), path);
        }
        return sql;
    } catch (const SQLite::Exception& error) {
        throw explain_open(error, path);
    }
}

}  // namespace mirror::storage

#include "storage/sqlite/database.hpp"

#include <cerrno>
#include <string>
#include <thread>
#include <utility>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Transaction.h>
#include <sqlite3.h>

#include "storage/sqlite/file_check.hpp"
#include "storage/sqlite/file_identity.hpp"
#include "storage/sqlite/free_space.hpp"
#include "storage/sqlite/log_padding.hpp"
#include "storage/sqlite/page_writes.hpp"

namespace mirror::storage {
namespace {

// The whole program is to stay under 32 MB; beyond some megabytes a larger cache does not load
// faster.
constexpr char cache[] = "PRAGMA cache_size = -4096";
// Zeros take the place of what is deleted or moved within the file, whatever SQLite was built with:
// what is erased must not remain in free space.
constexpr char overwrite_deleted[] = "PRAGMA secure_delete = ON";
// What remains of a log that had to grow, once it starts anew.
constexpr char log_limit[] = "PRAGMA journal_size_limit = 16777216";
// How long an attempt to empty the log may hold up the rows that wait.
constexpr auto truncation_patience = std::chrono::milliseconds(100);

// While a reader holds the log up.
constexpr auto between_attempts = std::chrono::milliseconds(20);

// What of a file is overwritten in one step: some tens of milliseconds.
constexpr std::uint64_t pages_a_step = 2048;

// What pad_empty_log() makes of one.
constexpr std::uintmax_t most_in_an_empty_log = 56;

// Instructions of SQLite's machine between two signs of progress: some tenths of a millisecond.
constexpr int steps_between_signs = 20'000;

int sign_of_progress(void* function) {
    (*static_cast<const std::function<void()>*>(function))();
    return 0;  // go on
}

int as_milliseconds(std::chrono::milliseconds duration) {
    return static_cast<int>(duration.count());
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

Database::Database(DatabaseOptions options, const Prepare& prepare)
    : options_(std::move(options)),
      path_(ensure_file(options_.path)),
      // Judged before even a lock file is left beside it.
      lock_((refuse_unless_ours(path_, options_.format), path_)) {
    const WriteLock lock(lock_, options_.busy_timeout);
    connect();
    try {
        guarded([&] { open(prepare); });
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
        // A file is used by one thread at a time, so no call needs a lock.
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

void Database::open(const Prepare& prepare) {
    SQLite::Database& sql = *sql_;
    sql.exec(cache);
    sql.exec(overwrite_deleted);
    keep_log_on_close(sql);
    if (sql.execAndGet("PRAGMA page_count").getInt() == 0) {
        prepare(sql, std::nullopt);
    } else {
        const int version = sql.execAndGet("PRAGMA user_version").getInt();
        refuse_unless_ours(path_, options_.format, sql.execAndGet("PRAGMA application_id").getInt(),
                           version);
        prepare(sql, version);
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
    log_ = identity_of(path_.string() + "-wal");
    checkpoint_on_close(true);
}

void Database::refuse_if_moved() {
    int moved = 0;
    sqlite3_file_control(sql_->getHandle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (moved != 0) {
        throw DatabaseError(DatabaseErrorKind::absent,
                            "database " + path_.string() +
                                ": moved, replaced or deleted while it was open; stop the program "
                                "before the file is moved; if another file was put in its place, "
                                "remove its -wal and -shm, which belong to the old one, before you "
                                "start again");
    }
    refuse_if_log_moved();
}

// SQLite does not notice. No other program sees what is written into a log that has lost its name,
// and one that opens the file makes another log.
void Database::refuse_if_log_moved() {
    const std::string log = path_.string() + "-wal";
    const std::optional<FileIdentity> now = identity_of(log);
    if (now == log_ || !log_) {
        log_ = now;
        return;
    }
    // While nobody has made another one, what is in the old log still belongs to the file.
    checkpoint_on_close(!now);
    throw DatabaseError(DatabaseErrorKind::absent,
                        "database " + path_.string() + ": its log, " + log +
                            ", was deleted or replaced while it was open; start again, and leave "
                            "-wal and -shm where they are: they are a part of the file");
}

void Database::checkpoint_on_close(bool wanted) noexcept {
    sqlite3_db_config(sql_->getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, wanted ? 0 : 1, nullptr);
}

DatabaseError Database::explained(const SQLite::Exception& error) const {
    return explain(error, system_error_of(sql_->getHandle()), path_);
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

bool Database::empty_log_and_free_space(std::chrono::milliseconds patience) {
    using std::chrono::steady_clock;
    auto give_up = steady_clock::now() + patience;
    std::uint64_t page = 1;
    for (;;) {
        const bool emptied = truncate_log(0) != Checkpoint::busy;
        if (emptied && page == 0) {
            return true;
        }
        if (emptied) {
            const auto next = guarded([&] { return overwrite_free_space(page); });
            if (next) {
                page = *next;
                give_up = steady_clock::now() + patience;  // it goes on
                continue;
            }
        }
        if (steady_clock::now() >= give_up) {
            return false;
        }
        std::this_thread::sleep_for(between_attempts);
    }
}

// One step. Returns the page to go on with, 0 after the last one; nothing if something was written
// to the log in between. Other connections drop what they have read of the file when they see the
// commit, so that nobody writes the old bytes back.
std::optional<std::uint64_t> Database::overwrite_free_space(std::uint64_t first_page) {
    const WriteLock lock(lock_, options_.busy_timeout);
    refuse_if_moved();
    SQLite::Transaction transaction(*sql_, SQLite::TransactionBehavior::IMMEDIATE);
    std::error_code failure;
    const auto log = std::filesystem::file_size(path_.string() + "-wal", failure);
    if (failure || log > most_in_an_empty_log) {
        return std::nullopt;
    }
    FreeSpace space(sql_->getHandle());
    space.overwrite(first_page, pages_a_step);
    space.sync();
    const std::string version = sql_->execAndGet("PRAGMA user_version").getString();
    sql_->exec("PRAGMA user_version = " + version);
    transaction.commit();
    sqlite3_db_release_memory(sql_->getHandle());
    const std::uint64_t next = first_page + pages_a_step;
    return next > space.pages() ? 0 : next;
}

SQLite::Database open_read_only(const std::filesystem::path& file, const FileFormat& format,
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
            refuse_unless_ours(path, format, sql.execAndGet("PRAGMA application_id").getInt(),
                               sql.execAndGet("PRAGMA user_version").getInt());
        } catch (const SQLite::Exception& error) {
            throw explain(error, system_error_of(sql.getHandle()), path);
        }
        return sql;
    } catch (const SQLite::Exception& error) {
        throw explain_open(error, path);
    }
}

}  // namespace mirror::storage

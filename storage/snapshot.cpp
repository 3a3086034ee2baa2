#include "storage/snapshot.hpp"

#include <string>
#include <sys/types.h>
#include <system_error>

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Transaction.h>
#include <sqlite3.h>

#include "core/util/replacement_file.hpp"
#include "storage/mirror_database.hpp"
#include "storage/mirror_files.hpp"
#include "storage/sqlite/errors.hpp"

namespace mirror::storage {
namespace {

constexpr mode_t file_mode = 0640;
constexpr int pages_a_step = 256;

[[noreturn]] void refuse(const std::filesystem::path& target, const std::string& why) {
    throw DatabaseError(DatabaseErrorKind::foreign,
                        "snapshot " + target.string() + ": " + why + "; name another file");
}

void refuse_without_directory(const std::filesystem::path& target) {
    std::error_code ignored;
    const std::filesystem::path directory = target.parent_path();
    if (!directory.empty() && !std::filesystem::is_directory(directory, ignored)) {
        throw DatabaseError(DatabaseErrorKind::absent,
                            "snapshot " + target.string() + ": directory " + directory.string() +
                                " does not exist; create it, or name another file");
    }
}

// What is replaced is gone: a copy of a mirror is worth it, a token or a letter is not.
void refuse_unless_copy(const std::filesystem::path& target) {
    try {
        refuse_unless_mirror(target);
    } catch (const DatabaseError& error) {
        if (error.kind() != DatabaseErrorKind::foreign) {
            throw;
        }
        refuse(target, "it exists, and is not a copy of a mirror");
    }
}

void check_target(const SnapshotOptions& options) {
    std::error_code ignored;
    refuse_without_directory(options.target);
    if (is_of_mirror(options.source, options.target)) {
        const bool itself = std::filesystem::equivalent(options.source, options.target, ignored);
        refuse(options.target, itself ? "it is the mirror itself" : "it belongs to the mirror");
    }
    if (!std::filesystem::exists(options.target, ignored)) {
        return;
    }
    if (!std::filesystem::is_regular_file(options.target, ignored)) {
        refuse(options.target, "it is not a regular file");
    }
    // A log beside the copy would be taken for the copy's.
    for (const char* const suffix : {"-wal", "-journal"}) {
        if (std::filesystem::exists(options.target.string() + suffix, ignored)) {
            refuse(options.target, "beside it lies " + options.target.string() + suffix +
                                       ", so it is a database that is used");
        }
    }
    refuse_unless_copy(options.target);
}

// False if it was ended.
bool copy(SQLite::Database& from, SQLite::Database& to, const SnapshotOptions& options) {
    const auto page_size =
        static_cast<std::uint64_t>(from.execAndGet("PRAGMA page_size").getInt64());
    // The copy shows this moment: without a transaction, each write would begin it anew.
    const SQLite::Transaction moment(from);
    from.execAndGet("SELECT count(*) FROM sqlite_schema");
    SQLite::Backup backup(to, from);
    for (;;) {
        const int result = backup.executeStep(pages_a_step);
        SnapshotProgress progress;
        progress.bytes = static_cast<std::uint64_t>(backup.getTotalPageCount()) * page_size;
        progress.bytes_done =
            progress.bytes - static_cast<std::uint64_t>(backup.getRemainingPageCount()) * page_size;
        if (options.go_on && !options.go_on(progress)) {
            return false;
        }
        if (result == SQLITE_DONE) {
            return true;
        }
    }
}

}  // namespace

std::uint64_t take_snapshot(const SnapshotOptions& options) {
    SQLite::Database from = open_mirror_read_only(options.source, options.busy_timeout);
    check_target(options);
    try {
        ReplacementFile file(options.target, file_mode);
        {
            SQLite::Database to(file.name(), SQLite::OPEN_READWRITE);
            to.exec("PRAGMA synchronous = OFF");  // the whole file is synced at the end
            if (!copy(from, to, options)) {
                return 0;
            }
            // A file in WAL mode cannot be opened without permission to write beside it.
            to.execAndGet("PRAGMA journal_mode = DELETE");
        }
        const auto bytes = std::filesystem::file_size(file.name());
        file.replace_durably();
        return bytes;
    } catch (const SQLite::Exception& error) {
        throw explain(error, system_error_of(from.getHandle()), options.target);
    } catch (const FileError& error) {
        throw explain_system(error.attempt(), error.code().value(), options.target);
    }
}

}  // namespace mirror::storage

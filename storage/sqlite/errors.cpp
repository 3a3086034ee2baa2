#include "storage/sqlite/errors.hpp"

#include <cerrno>
#include <optional>
#include <system_error>
#include <unistd.h>

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

namespace mirror::storage {
namespace {

using Kind = DatabaseErrorKind;

// The primary code says less than the errno behind it if a disk or a permission is the cause.
std::optional<Kind> kind_of_errno(int system_error) {
    switch (system_error) {
        case ENOSPC:
        case EDQUOT:
            return Kind::full;
        case EACCES:
        case EPERM:
        case EROFS:
            return Kind::permission;
        case ENOENT:
        case ENOTDIR:
            return Kind::absent;
        default:
            return std::nullopt;
    }
}

Kind kind_of(int code, int system_error) {
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return Kind::locked;
        case SQLITE_FULL:
            return Kind::full;
        case SQLITE_NOTADB:
            return Kind::foreign;
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return Kind::permission;
        case SQLITE_CANTOPEN:
            return kind_of_errno(system_error).value_or(Kind::io);
        case SQLITE_IOERR: {
            // A file that is open is there; an ENOENT is of something else.
            const Kind kind = kind_of_errno(system_error).value_or(Kind::io);
            return kind == Kind::absent ? Kind::io : kind;
        }
        // A missing table or a broken constraint: nothing that our statements could meet in a
        // file that is as we made it.
        case SQLITE_CORRUPT:
        case SQLITE_ERROR:
        case SQLITE_CONSTRAINT:
        case SQLITE_MISMATCH:
            return Kind::damaged;
        default:
            return Kind::io;
    }
}

// The errno may be that of another call than the one that failed: it counts only if it can be the
// cause of an error of this kind.
bool quota_used_up(Kind kind, int system_error) {
    return kind == Kind::full && system_error == EDQUOT;
}

bool mounted_read_only(Kind kind, int system_error) {
    return kind == Kind::permission && system_error == EROFS;
}

const char* advice(Kind kind, int system_error) {
    if (quota_used_up(kind, system_error)) {
        return "ask for a larger quota, or make room within it, and start again; nothing that was "
               "stored is lost";
    }
    if (mounted_read_only(kind, system_error)) {
        return "mount it for writing (after an error of the disk, Linux mounts it read-only: see "
               "dmesg), or name a file elsewhere";
    }
    switch (kind) {
        case Kind::absent:
            return "check the path, or create the mirror with `sync`";
        case Kind::locked:
            return "another program keeps it locked; end that program, or wait until it is done";
        case Kind::full:
            return "make room on the disk and start again; nothing that was stored is lost";
        case Kind::damaged:
            return "move the file away, or restore a copy; a new mirror fetches everything again";
        case Kind::newer:
            return "update this program";
        case Kind::foreign:
            return "name another file";
        case Kind::permission:
            return "check the owner and mode of the file, of its -wal, -shm and .lock, and of its "
                   "directory";
        case Kind::io:
            return "check the disk";
    }
    return "check the disk";
}

const char* summary(Kind kind, int system_error) {
    if (quota_used_up(kind, system_error)) {
        return "the disk quota is used up";
    }
    if (mounted_read_only(kind, system_error)) {
        return "the file system is read-only";
    }
    switch (kind) {
        case Kind::absent:
            return "not found";
        case Kind::locked:
            return "locked";
        case Kind::full:
            return "the disk is full";
        case Kind::damaged:
            return "damaged";
        case Kind::newer:
            return "made by a newer version";
        case Kind::foreign:
            return "not a database of this program";
        case Kind::permission:
            return "permission denied";
        case Kind::io:
            return "input/output error";
    }
    return "input/output error";
}

DatabaseError make(Kind kind, int system_error, const std::filesystem::path& file,
                   const std::string& detail) {
    return DatabaseError(kind, "database " + file.string() + ": " + summary(kind, system_error) +
                                   " (" + detail + "); " + advice(kind, system_error));
}

int last_errno_of(sqlite3_file* file) {
    int last = 0;
    if (file != nullptr && file->pMethods != nullptr) {
        file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &last);
    }
    return last;
}

}  // namespace

int system_error_of(sqlite3* connection) {
    // SQLite notes the errno of the last call of all, which may have been one to clean up.
    for (const int which : {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER}) {
        sqlite3_file* file = nullptr;
        sqlite3_file_control(connection, "main", which, &file);
        const int last = last_errno_of(file);
        if (last == EDQUOT || last == ENOSPC || last == EROFS) {
            return last;
        }
    }
    return sqlite3_system_errno(connection);
}

DatabaseError explain(const SQLite::Exception& error, int system_error,
                      const std::filesystem::path& file) {
    const std::string name = "database " + file.string() + ": ";
    if (error.getExtendedErrorCode() == SQLITE_READONLY_ROLLBACK) {
        return DatabaseError(Kind::permission,
                             name +
                                 "the last write to it was cut short, and to undo that takes the "
                                 "permission to write; run `sync` or `run`");
    }
    // Met once in some hundred kills, by a reader without permission to write; a writer that opens
    // the file mends it.
    if ((error.getErrorCode() & 0xff) == SQLITE_PROTOCOL) {
        return DatabaseError(Kind::locked, name + "its log cannot be read now (" + error.what() +
                                               "); run `sync` or `run`, and try again");
    }
    if ((error.getErrorCode() & 0xff) == SQLITE_NOMEM) {
        return DatabaseError(Kind::io, name + "too little memory to work on it (" + error.what() +
                                           "); nothing that was stored is lost");
    }
    return make(kind_of(error.getErrorCode(), system_error), system_error, file, error.what());
}

DatabaseError explain_open(const SQLite::Exception& error, const std::filesystem::path& file) {
    // The connection that knew the errno is gone.
    const int reason = ::access(file.c_str(), R_OK) == 0 ? 0 : errno;
    return explain(error, reason, file);
}

DatabaseError explain_system(const std::string& attempt, int system_error,
                             const std::filesystem::path& file) {
    return make(kind_of_errno(system_error).value_or(Kind::io), system_error, file,
                "cannot " + attempt + ": " + std::generic_category().message(system_error));
}

}  // namespace mirror::storage

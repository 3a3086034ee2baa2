// SQLite's codes in our words.
#include "storage/sqlite/errors.hpp"

#include <cerrno>

#include <SQLiteCpp/Exception.h>
#include <doctest/doctest.h>
#include <sqlite3.h>

using namespace mirror::storage;

TEST_CASE("every error of SQLite has a kind, and the errno behind it counts") {
    struct Expected {
        int code;
        int system_error;
        DatabaseErrorKind kind;
    };
    const Expected table[] = {
        {SQLITE_BUSY, 0, DatabaseErrorKind::locked},
        {SQLITE_BUSY_SNAPSHOT, 0, DatabaseErrorKind::locked},
        {SQLITE_FULL, 0, DatabaseErrorKind::full},
        {SQLITE_IOERR_WRITE, EDQUOT, DatabaseErrorKind::full},
        {SQLITE_IOERR_SHMSIZE, ENOSPC, DatabaseErrorKind::full},
        {SQLITE_IOERR_READ, EIO, DatabaseErrorKind::io},
        {SQLITE_IOERR_READ, ENOENT, DatabaseErrorKind::io},
        {SQLITE_CANTOPEN, EACCES, DatabaseErrorKind::permission},
        {SQLITE_CANTOPEN, EROFS, DatabaseErrorKind::permission},
        {SQLITE_CANTOPEN, ENOENT, DatabaseErrorKind::absent},
        {SQLITE_CANTOPEN, EMFILE, DatabaseErrorKind::io},
        {SQLITE_READONLY_DBMOVED, 0, DatabaseErrorKind::permission},
        {SQLITE_PROTOCOL, 0, DatabaseErrorKind::locked},
        {SQLITE_NOMEM, 0, DatabaseErrorKind::io},
        {SQLITE_CORRUPT_INDEX, 0, DatabaseErrorKind::damaged},
        {SQLITE_ERROR, 0, DatabaseErrorKind::damaged},
        {SQLITE_NOTADB, 0, DatabaseErrorKind::foreign},
        {SQLITE_MISUSE, 0, DatabaseErrorKind::io},
    };
    for (const Expected& expected : table) {
        CAPTURE(expected.code);
        const DatabaseError error =
            explain(SQLite::Exception("detail", expected.code), expected.system_error, "dir/m.db");
        CHECK(error.kind() == expected.kind);
        const std::string text = error.what();
        CHECK(text.find("dir/m.db") != std::string::npos);
        CHECK(text.find("detail") != std::string::npos);
    }
}

TEST_CASE("a quota, a full disk and a read-only file system are told apart") {
    const auto text = [](int code, int system_error) {
        return std::string(explain(SQLite::Exception("detail", code), system_error, "m.db").what());
    };
    CHECK(text(SQLITE_IOERR_WRITE, EDQUOT).find("the disk quota is used up") != std::string::npos);
    CHECK(text(SQLITE_FULL, 0).find("the disk is full") != std::string::npos);
    CHECK(text(SQLITE_CANTOPEN, EROFS).find("the file system is read-only") != std::string::npos);
    CHECK(text(SQLITE_IOERR_READ, ENOENT).find("sync") == std::string::npos);
    // An errno that another call left behind.
    CHECK(text(SQLITE_CORRUPT, EDQUOT).find("quota") == std::string::npos);
    CHECK(text(SQLITE_BUSY, EROFS).find("read-only") == std::string::npos);
    CHECK(text(SQLITE_FULL, EROFS).find("the disk is full") != std::string::npos);
    CHECK(std::string(explain_system("create it", EROFS, "m.db").what()).find("read-only") !=
          std::string::npos);
}

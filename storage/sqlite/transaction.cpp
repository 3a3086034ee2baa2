#include "storage/sqlite/transaction.hpp"

#include <sqlite3.h>

namespace mirror::storage {

WriteTransaction::WriteTransaction(Database& database)
    : database_(database), lock_(database.lock_, database.options_.busy_timeout) {
    database_.refuse_if_moved();
    database_.sql().exec("BEGIN IMMEDIATE");
}

WriteTransaction::~WriteTransaction() {
    // SQLite ends some transactions by itself, if the error was grave.
    if (sqlite3_get_autocommit(database_.sql().getHandle()) == 0) {
        sqlite3_exec(database_.sql().getHandle(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
}

void WriteTransaction::commit() {
    database_.sql().exec("COMMIT");
}

}  // namespace mirror::storage

#include "storage/sqlite/statement.hpp"

#include <cstring>

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

namespace mirror::storage {

RowStatement::RowStatement(sqlite3* connection, std::string_view sql) : connection_(connection) {
    check(sqlite3_prepare_v3(connection_, sql.data(), static_cast<int>(sql.size()),
                             SQLITE_PREPARE_PERSISTENT, &statement_, nullptr));
}

RowStatement::~RowStatement() {
    sqlite3_finalize(statement_);
}

void RowStatement::check(int result) const {
    if (result != SQLITE_OK) {
        throw SQLite::Exception(connection_, result);
    }
}

void RowStatement::bind(int index, std::int64_t value) {
    check(sqlite3_bind_int64(statement_, index, value));
}

void RowStatement::bind(int index, std::string_view text) {
    // A null pointer would bind NULL; an empty text is none.
    const char* const data = text.data() == nullptr ? "" : text.data();
    check(sqlite3_bind_text64(statement_, index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void RowStatement::bind_null(int index) {
    check(sqlite3_bind_null(statement_, index));
}

std::optional<std::int64_t> RowStatement::run() {
    std::optional<std::int64_t> first;
    int result = sqlite3_step(statement_);
    if (result == SQLITE_ROW) {
        first = sqlite3_column_int64(statement_, 0);
    }
    while (result == SQLITE_ROW) {
        result = sqlite3_step(statement_);
    }
    // The error of the last step is this call's, too.
    check(sqlite3_reset(statement_));
    return first;
}

bool RowStatement::step() {
    const int result = sqlite3_step(statement_);
    if (result == SQLITE_ROW) {
        return true;
    }
    if (result != SQLITE_DONE) {
        reset();  // throws what step met
    }
    return false;
}

void RowStatement::reset() {
    check(sqlite3_reset(statement_));
}

void RowStatement::abandon() noexcept {
    sqlite3_reset(statement_);  // gives the error of the last step, which is known
}

bool RowStatement::holds(int column, std::int64_t value) const {
    return sqlite3_column_type(statement_, column) == SQLITE_INTEGER &&
           sqlite3_column_int64(statement_, column) == value;
}

bool RowStatement::holds(int column, std::string_view text) const {
    if (sqlite3_column_type(statement_, column) != SQLITE_TEXT) {
        return false;
    }
    const void* const bytes = sqlite3_column_text(statement_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return size == text.size() && (size == 0 || std::memcmp(bytes, text.data(), size) == 0);
}

bool RowStatement::holds_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::int64_t RowStatement::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}

std::string RowStatement::text(int column) const {
    const void* const bytes = sqlite3_column_text(statement_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), size);
}

}  // namespace mirror::storage

// A prepared statement for what runs once a row: SQLite bound directly, texts as views.
//
// SQLiteCpp carries everything else here. Its statement binds no std::string_view, so every text
// of every row would be copied twice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace mirror::storage {

/// Every call throws SQLite::Exception. Bound texts must live until the statement was reset.
class RowStatement {
  public:
    RowStatement(sqlite3* connection, std::string_view sql);
    ~RowStatement();
    RowStatement(const RowStatement&) = delete;
    RowStatement& operator=(const RowStatement&) = delete;

    void bind(int index, std::int64_t value);
    /// The whole text, NUL characters too.
    void bind(int index, std::string_view text);
    void bind_null(int index);

    template <typename Value>
    void bind(int index, const std::optional<Value>& value) {
        if (value) {
            bind(index, *value);
        } else {
            bind_null(index);
        }
    }

    /// Runs to the end and resets. Returns the first column of the first row, if there is one.
    std::optional<std::int64_t> run();

    /// The next row, one at a time: false after the last one. What was begun must be reset() before
    /// anything is bound again.
    bool step();
    void reset();
    /// Resets whatever was begun, however that went.
    void abandon() noexcept;

    /// Of the row at hand, columns from 0: whether it holds this value, of this type.
    bool holds(int column, std::int64_t value) const;
    bool holds(int column, std::string_view text) const;
    bool holds_null(int column) const;
    template <typename Value>
    bool holds(int column, const std::optional<Value>& value) const {
        return value ? holds(column, *value) : holds_null(column);
    }
    std::int64_t integer(int column) const;
    std::string text(int column) const;

  private:
    void check(int result) const;

    sqlite3* connection_;
    sqlite3_stmt* statement_ = nullptr;
};

}  // namespace mirror::storage

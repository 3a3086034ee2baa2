#include "storage/metadata.hpp"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

namespace mirror::storage {

std::optional<std::string> Facts::get(const std::string& key) const {
    SQLite::Statement query(sql_, "SELECT value FROM mirror WHERE stream = ? AND key = ?");
    query.bind(1, stream_);
    query.bind(2, key);
    if (!query.executeStep()) {
        return std::nullopt;
    }
    return query.getColumn(0).getString();
}

std::map<std::string, std::string> Facts::all() const {
    std::map<std::string, std::string> facts;
    SQLite::Statement query(sql_, "SELECT key, value FROM mirror WHERE stream = ?");
    query.bind(1, stream_);
    while (query.executeStep()) {
        facts.emplace(query.getColumn(0).getString(), query.getColumn(1).getString());
    }
    return facts;
}

std::int64_t Facts::number(const std::string& key) const {
    SQLite::Statement query(
        sql_, "SELECT CAST(value AS INTEGER) FROM mirror WHERE stream = ? AND key = ?");
    query.bind(1, stream_);
    query.bind(2, key);
    return query.executeStep() ? query.getColumn(0).getInt64() : 0;
}

bool Facts::set(const std::string& key, const std::string& value) {
    SQLite::Statement upsert(sql_,
                             "INSERT INTO mirror (stream, key, value) VALUES (?, ?, ?) "
                             "ON CONFLICT (stream, key) DO UPDATE SET value = excluded.value "
                             "WHERE value IS NOT excluded.value");
    upsert.bind(1, stream_);
    upsert.bind(2, key);
    upsert.bind(3, value);
    return upsert.exec() > 0;
}

}  // namespace mirror::storage

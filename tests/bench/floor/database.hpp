// The floor's file: raw sqlite3, one prepared upsert a row, two indexes.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace floor_bench {

/// A row whose texts lie in the page's own buffer.
struct Row {
    std::int64_t id = 0;
    std::optional<std::int64_t> mailing, destination, profile, subprofile;
    std::string_view timestamp, ip, device;
    std::optional<std::string_view> useragent;
};

struct Rows {
    std::string texts;  ///< where the rows' texts lie
    std::vector<Row> rows;
};

class Database {
  public:
    Database(const std::string& path, bool interned);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    void write(const Rows& page);

  private:
    void exec(const char* sql);
    std::int64_t agent(const Row& row);

    sqlite3* db_ = nullptr;
    sqlite3_stmt* upsert_ = nullptr;
    sqlite3_stmt* insert_agent_ = nullptr;
    bool interned_;
    int pages_ = 0;  // in the transaction at hand
    std::unordered_map<std::string, std::int64_t> agents_;
};

}  // namespace floor_bench

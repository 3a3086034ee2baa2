#include "tests/bench/floor/database.hpp"

#include <stdexcept>

#include <sqlite3.h>

namespace floor_bench {
namespace {

constexpr int pages_a_transaction = 10;

void bind(sqlite3_stmt* statement, int index, const std::optional<std::int64_t>& value) {
    if (value) {
        sqlite3_bind_int64(statement, index, *value);
    } else {
        sqlite3_bind_null(statement, index);
    }
}

void bind(sqlite3_stmt* statement, int index, std::string_view text) {
    sqlite3_bind_text(statement, index, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

}  // namespace

Database::Database(const std::string& path, bool interned) : interned_(interned) {
    if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK) {
        throw std::runtime_error("cannot open " + path);
    }
    exec("PRAGMA journal_mode = WAL");
    exec("PRAGMA synchronous = NORMAL");  // as all others here
    exec("PRAGMA cache_size = -8192");
    const std::string agent_columns =
        interned ? "user_agent INTEGER" : "useragent TEXT, device TEXT";
    exec(("CREATE TABLE impressions (id INTEGER PRIMARY KEY, mailing INTEGER, timestamp TEXT, "
          "ip TEXT, destination INTEGER, profile INTEGER, subprofile INTEGER, " +
          agent_columns + ")")
             .c_str());
    exec("CREATE TABLE agents (id INTEGER PRIMARY KEY, useragent TEXT, device TEXT)");
    exec("CREATE INDEX impressions_timestamp ON impressions (timestamp)");
    exec("CREATE INDEX impressions_mailing ON impressions (mailing)");
    std::string sql = "INSERT INTO impressions VALUES (?, ?, ?, ?, ?, ?, ?, ?";
    sql += interned ? ")" : ", ?)";
    sql +=
        " ON CONFLICT (id) DO UPDATE SET mailing = excluded.mailing, "
        "timestamp = excluded.timestamp, ip = excluded.ip, destination = excluded.destination, "
        "profile = excluded.profile, subprofile = excluded.subprofile, ";
    sql += interned ? "user_agent = excluded.user_agent"
                    : "useragent = excluded.useragent, device = excluded.device";
    sqlite3_prepare_v3(db_, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &upsert_, nullptr);
    sqlite3_prepare_v3(db_, "INSERT INTO agents (useragent, device) VALUES (?, ?)", -1,
                       SQLITE_PREPARE_PERSISTENT, &insert_agent_, nullptr);
    if (upsert_ == nullptr || insert_agent_ == nullptr) {
        throw std::runtime_error(sqlite3_errmsg(db_));
    }
}

Database::~Database() {
    if (pages_ > 0) {
        sqlite3_exec(db_, "COMMIT", nullptr, nullptr, nullptr);
    }
    sqlite3_finalize(upsert_);
    sqlite3_finalize(insert_agent_);
    sqlite3_close(db_);
}

void Database::exec(const char* sql) {
    if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
        throw std::runtime_error(sqlite3_errmsg(db_));
    }
}

std::int64_t Database::agent(const Row& row) {
    std::string key = row.useragent ? "u" : "-";
    key += row.useragent.value_or("");
    key += '\n';
    key += row.device;
    const auto [place, is_new] = agents_.try_emplace(std::move(key), 0);
    if (is_new) {
        if (row.useragent) {
            bind(insert_agent_, 1, *row.useragent);
        } else {
            sqlite3_bind_null(insert_agent_, 1);
        }
        bind(insert_agent_, 2, row.device);
        sqlite3_step(insert_agent_);
        sqlite3_reset(insert_agent_);
        place->second = sqlite3_last_insert_rowid(db_);
    }
    return place->second;
}

void Database::write(const Rows& page) {
    if (pages_ == 0) {
        exec("BEGIN");
    }
    for (const Row& row : page.rows) {
        sqlite3_bind_int64(upsert_, 1, row.id);
        bind(upsert_, 2, row.mailing);
        bind(upsert_, 3, row.timestamp);
        bind(upsert_, 4, row.ip);
        bind(upsert_, 5, row.destination);
        bind(upsert_, 6, row.profile);
        bind(upsert_, 7, row.subprofile);
        if (interned_) {
            sqlite3_bind_int64(upsert_, 8, agent(row));
        } else {
            if (row.useragent) {
                bind(upsert_, 8, *row.useragent);
            } else {
                sqlite3_bind_null(upsert_, 8);
            }
            bind(upsert_, 9, row.device);
        }
        const int result = sqlite3_step(upsert_);
        sqlite3_reset(upsert_);
        if (result != SQLITE_DONE) {
            throw std::runtime_error(sqlite3_errmsg(db_));
        }
    }
    if (++pages_ == pages_a_transaction) {
        exec("COMMIT");
        pages_ = 0;
    }
}

}  // namespace floor_bench

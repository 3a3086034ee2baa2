#include "storage/status_reader.hpp"

#include <system_error>

#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Transaction.h>
#include <sqlite3.h>

#include "storage/coverage_ledger.hpp"
#include "storage/metadata.hpp"
#include "storage/mirror_database.hpp"
#include "storage/request_log.hpp"
#include "storage/seconds.hpp"

namespace mirror::storage {
namespace {

std::uint64_t size_or_zero(const std::filesystem::path& file) {
    std::error_code failure;
    const auto size = std::filesystem::file_size(file, failure);
    return failure ? 0 : size;
}

FileStatus read_snapshot(SQLite::Database& sql, std::size_t runs) {
    const SQLite::Transaction snapshot(sql);
    const Facts facts(sql);
    const auto count = [&facts](const char* key) {
        return static_cast<std::uint64_t>(facts.number(key));
    };
    FileStatus status;
    status.facts = facts.all();
    if (const auto id = facts.get(fact_key::account_id)) {
        status.account.emplace();
        status.account->id = *id;
        status.account->name = facts.get(fact_key::account_name).value_or("");
    }
    status.time_zone = facts.get(fact_key::time_zone).value_or("");
    status.coverage = CoverageLedger::load(sql, 0);
    status.rows = count(fact_key::rows);
    status.removed = count(fact_key::removed);
    status.rejects = count(fact_key::rejects);
    // A file of an older program has no such table until a writer opens it.
    if (sql.tableExists("doubts")) {
        status.doubts = DoubtLedger::load(sql);
    }
    if (status.facts.contains(fact_key::server_clock_offset)) {
        status.server_clock_offset = Seconds(facts.number(fact_key::server_clock_offset));
    }
    status.lateness = LatenessLedger::summary(sql);
    status.runs = RunLog(sql).latest(runs);
    if (sql.tableExists("requests")) {
        status.requests = RequestLog::days(sql);
    }
    return status;
}

}  // namespace

FileStatus read_status(const StatusOptions& options) {
    SQLite::Database sql = open_mirror_read_only(options.path, options.busy_timeout);
    const std::filesystem::path path = sql.getFilename();
    try {
        FileStatus status = read_snapshot(sql, options.runs);
        status.database_bytes = size_or_zero(path);
        status.wal_bytes = size_or_zero(path.string() + "-wal");
        return status;
    } catch (const SQLite::Exception& error) {
        throw explain(error, system_error_of(sql.getHandle()), path);
    }
}

}  // namespace mirror::storage

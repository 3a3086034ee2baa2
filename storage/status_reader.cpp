#include "storage/status_reader.hpp"

#include <algorithm>
#include <system_error>

#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Transaction.h>
#include <sqlite3.h>

#include "storage/coverage_ledger.hpp"
#include "storage/erased_records.hpp"
#include "storage/metadata.hpp"
#include "storage/migrations.hpp"
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

StreamStatus read_stream(SQLite::Database& sql, const Stream& stream, std::size_t runs) {
    const Facts facts(sql, stream);
    const auto count = [&facts](const char* key) {
        return static_cast<std::uint64_t>(facts.number(key));
    };
    StreamStatus status;
    status.stream = &stream;
    status.coverage = CoverageLedger::load(sql, stream, 0);
    status.rows = count(fact_key::rows);
    status.removed = count(fact_key::removed);
    status.rejects = count(fact_key::rejects);
    status.erasing = !unfinished_rules(sql, stream).empty();
    status.rewriting = rewrite_state(sql, stream);
    status.doubts = DoubtLedger(sql, stream).load();
    status.facts = facts.all();
    status.lateness = LatenessLedger(sql, stream).summary();
    status.runs = RunLog(sql, stream).latest(runs);
    return status;
}

FileStatus read_snapshot(SQLite::Database& sql, std::size_t runs) {
    const SQLite::Transaction snapshot(sql);
    show_as_current(sql);
    const Facts facts(sql);
    FileStatus status;
    if (const auto id = facts.get(fact_key::account_id)) {
        status.account.emplace();
        status.account->id = *id;
        status.account->name = facts.get(fact_key::account_name).value_or("");
    }
    status.time_zone = facts.get(fact_key::time_zone).value_or("");
    if (facts.get(fact_key::server_clock_offset)) {
        status.server_clock_offset = Seconds(facts.number(fact_key::server_clock_offset));
    }
    status.kept = kept_data(sql);
    status.erased_bytes_left = facts.number(fact_key::erased_bytes_left) != 0;
    status.requests = RequestLog::days(sql);
    for (const Stream& stream : streams()) {
        status.streams.push_back(read_stream(sql, stream, runs));
    }
    return status;
}

}  // namespace

const StreamStatus& FileStatus::of(const Stream& stream) const {
    static const StreamStatus none;
    const auto found =
        std::find_if(streams.begin(), streams.end(),
                     [&](const StreamStatus& status) { return status.stream == &stream; });
    return found == streams.end() ? none : *found;
}

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

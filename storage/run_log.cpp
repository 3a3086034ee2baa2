#include "storage/run_log.hpp"

#include <string>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <boost/json.hpp>

#include "storage/seconds.hpp"

namespace mirror::storage {
namespace {

std::string to_json(const std::vector<plan::UnreadWindow>& unread) {
    boost::json::array list;
    for (const plan::UnreadWindow& part : unread) {
        boost::json::object entry;
        entry["begin"] = seconds(part.window.begin);
        entry["end"] = seconds(part.window.end);
        entry["reason"] = part.reason;
        list.push_back(std::move(entry));
    }
    return boost::json::serialize(list);
}

// Lenient: a person may have edited the file, and `status` must still say the rest.
std::vector<plan::UnreadWindow> from_json(const std::string& text) {
    std::vector<plan::UnreadWindow> unread;
    boost::json::error_code failure;
    const boost::json::value parsed = boost::json::parse(text, failure);
    if (failure || !parsed.is_array()) {
        return unread;
    }
    for (const boost::json::value& value : parsed.get_array()) {
        const boost::json::object* const entry = value.if_object();
        const boost::json::value* const begin = entry ? entry->if_contains("begin") : nullptr;
        const boost::json::value* const end = entry ? entry->if_contains("end") : nullptr;
        const boost::json::value* const reason = entry ? entry->if_contains("reason") : nullptr;
        if (!begin || !begin->is_int64() || !end || !end->is_int64()) {
            continue;
        }
        plan::UnreadWindow part;
        part.window = {instant(begin->get_int64()), instant(end->get_int64())};
        if (reason && reason->is_string()) {
            part.reason = std::string(reason->get_string());
        }
        unread.push_back(std::move(part));
    }
    return unread;
}

}  // namespace

std::int64_t RunLog::write(std::optional<std::int64_t> id, const sync::RunRecord& run,
                           Instant now) {
    SQLite::Statement upsert(sql_, R"(
        INSERT INTO runs (stream, id, kind, "begin", "end", started_at, ended_at, requests,
                          inserted, updated, unchanged, rejected, outcome, unread)
        VALUES (?14, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
        ON CONFLICT (id) DO UPDATE SET
            kind = ?2, "begin" = ?3, "end" = ?4, started_at = ?5, ended_at = ?6, requests = ?7,
            inserted = ?8, updated = ?9, unchanged = ?10, rejected = ?11, outcome = ?12,
            unread = ?13)");
    const auto bind_count = [&upsert](int index, std::uint64_t count) {
        upsert.bind(index, static_cast<std::int64_t>(count));
    };
    if (id) {
        upsert.bind(1, *id);
    }
    upsert.bind(2, run.kind);
    upsert.bind(3, seconds(run.period.begin));
    upsert.bind(4, seconds(run.period.end));
    upsert.bind(5, seconds(run.started));
    if (run.ended) {
        upsert.bind(6, seconds(*run.ended));
    }
    bind_count(7, run.requests);
    bind_count(8, run.written.inserted);
    bind_count(9, run.written.updated);
    bind_count(10, run.written.unchanged);
    bind_count(11, run.written.rejected);
    upsert.bind(12, run.outcome);
    if (!run.unread.empty()) {
        upsert.bind(13, to_json(run.unread));
    }
    upsert.bind(14, stream_);
    upsert.exec();
    const std::int64_t row = id ? *id : sql_.getLastInsertRowid();

    // Those of streams that are not followed any more, too; but others may be at work for long.
    SQLite::Statement forget(sql_, R"(
        DELETE FROM runs
        WHERE ifnull(ended_at, started_at) < ?1 AND id <> ?2
          AND (stream = ?3 OR ended_at IS NOT NULL))");
    forget.bind(1, seconds(now - retention));
    forget.bind(2, row);
    forget.bind(3, stream_);
    forget.exec();
    return row;
}

std::vector<StoredRun> RunLog::latest(std::size_t most) const {
    std::vector<StoredRun> runs;
    SQLite::Statement query(sql_, R"(
        SELECT id, kind, "begin", "end", started_at, ended_at, requests, inserted, updated,
               unchanged, rejected, outcome, unread
        FROM runs WHERE stream = ? ORDER BY id DESC LIMIT ?)");
    query.bind(1, stream_);
    query.bind(2, static_cast<std::int64_t>(most));
    const auto count = [&query](int column) {
        return static_cast<std::uint64_t>(query.getColumn(column).getInt64());
    };
    while (query.executeStep()) {
        StoredRun stored;
        stored.id = query.getColumn(0).getInt64();
        sync::RunRecord& run = stored.run;
        run.kind = query.getColumn(1).getString();
        run.period = {instant(query.getColumn(2)), instant(query.getColumn(3))};
        run.started = instant(query.getColumn(4));
        if (!query.getColumn(5).isNull()) {
            run.ended = instant(query.getColumn(5));
        }
        run.requests = count(6);
        run.written.inserted = count(7);
        run.written.updated = count(8);
        run.written.unchanged = count(9);
        run.written.rejected = count(10);
        run.outcome = query.getColumn(11).getString();
        if (!query.getColumn(12).isNull()) {
            run.unread = from_json(query.getColumn(12).getString());
        }
        runs.push_back(std::move(stored));
    }
    return runs;
}

}  // namespace mirror::storage

#include "storage/removals.hpp"

#include <algorithm>
#include <vector>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include "core/time/text.hpp"

namespace mirror::storage {
namespace {

bool within(const LocalPeriod& span, const Row& row) {
    return span.begin <= row.time && row.time < span.end;
}

std::uint64_t count_within(const PackedRows& rows, const LocalPeriod& span) {
    std::uint64_t count = 0;
    PackedRows::Reader reader = rows.read();
    while (const Row* const row = reader.next()) {
        count += within(span, *row) ? 1 : 0;
    }
    return count;
}

std::vector<std::int64_t> ids_within(const PackedRows& rows, const LocalPeriod& span) {
    std::vector<std::int64_t> ids;
    PackedRows::Reader reader = rows.read();
    while (const Row* const row = reader.next()) {
        if (within(span, *row)) {
            ids.push_back(row->id);
        }
    }
    return ids;
}

}  // namespace

bool Removals::may_be_needed(const sync::WholeWindow& whole) {
    if (whole.proven.empty()) {
        return false;
    }
    const LocalPeriod span = zone_.span(whole.proven);
    SQLite::Statement any(
        sql_, "SELECT 1 FROM " + table_ + " WHERE timestamp >= ? AND timestamp < ? LIMIT 1");
    any.bind(1, format_local(span.begin));
    any.bind(2, format_local(span.end));
    return any.executeStep();
}

Removals::Missing Removals::missing(const sync::WholeWindow& whole,
                                    const std::vector<IdConflict>& conflicts,
                                    std::optional<Instant> expired_before) {
    Missing missing;
    LocalPeriod span = zone_.span(whole.proven);
    if (expired_before) {
        span.begin = std::max(span.begin, zone_.to_local(*expired_before));
    }
    if (span.begin >= span.end) {
        return missing;
    }

    // Nearly always the counts agree, and an index says so without a look at any row.
    const std::string counted =
        "(SELECT count(*) FROM " + table_ + " WHERE timestamp >= ?1 AND timestamp < ?2";
    SQLite::Statement count(
        sql_, "SELECT " + counted + ") - " + counted + " AND removed_at IS NOT NULL)");
    count.bind(1, format_local(span.begin));
    count.bind(2, format_local(span.end));
    count.executeStep();
    missing.held = static_cast<std::uint64_t>(count.getColumn(0).getInt64());
    // A record that is not a row is not in the table.
    const auto others = static_cast<std::uint64_t>(
        std::count_if(conflicts.begin(), conflicts.end(),
                      [&](const IdConflict& other) { return within(span, other.record); }));
    if (missing.held + others == count_within(whole.records.rows, span)) {
        return missing;
    }

    std::vector<std::int64_t> shown = ids_within(whole.records.rows, span);
    std::sort(shown.begin(), shown.end());
    SQLite::Statement held(sql_, "SELECT id, timestamp FROM " + table_ +
                                     " WHERE timestamp >= ?1 AND timestamp < ?2 "
                                     "AND removed_at IS NULL");
    held.bind(1, format_local(span.begin));
    held.bind(2, format_local(span.end));
    while (held.executeStep()) {
        const std::int64_t id = held.getColumn(0).getInt64();
        if (!std::binary_search(shown.begin(), shown.end(), id)) {
            missing.rows.push_back(
                {id, parse_local(held.getColumn(1).getString()).value_or(span.begin)});
        }
    }
    return missing;
}

void Removals::mark(const std::vector<std::int64_t>& ids, const WriteTimes& times,
                    std::vector<std::int64_t>& marked) {
    SQLite::Statement remove(
        sql_, "UPDATE " + table_ + " SET removed_at = ?1, changed_at = ?2 WHERE id = ?3");
    for (const std::int64_t id : ids) {
        remove.bind(1, times.now);
        remove.bind(2, times.changed_at);
        remove.bind(3, id);
        // None if a trigger said RAISE(IGNORE).
        if (remove.exec() > 0) {
            marked.push_back(id);
        }
        remove.reset();
    }
}

std::uint64_t Removals::unmark(const std::vector<std::int64_t>& ids, const WriteTimes& times) {
    SQLite::Statement restore(sql_, "UPDATE " + table_ +
                                        " SET removed_at = NULL, changed_at = ?1 "
                                        "WHERE id = ?2 AND removed_at IS NOT NULL");
    std::uint64_t unmarked = 0;
    for (const std::int64_t id : ids) {
        restore.bind(1, times.changed_at);
        restore.bind(2, id);
        unmarked += static_cast<std::uint64_t>(restore.exec());
        restore.reset();
    }
    return unmarked;
}

std::uint64_t Removals::unmark_expired(LocalTime begin, std::int64_t since,
                                       const WriteTimes& times) {
    SQLite::Statement unmark(sql_, "UPDATE " + table_ +
                                       " SET removed_at = NULL, changed_at = ?3 "
                                       "WHERE removed_at >= ?2 AND timestamp < ?1");
    unmark.bind(1, format_local(begin));
    unmark.bind(2, since);
    unmark.bind(3, times.changed_at);
    return static_cast<std::uint64_t>(unmark.exec());
}

std::uint64_t Removals::rows_before(LocalTime begin) {
    SQLite::Statement count(sql_, "SELECT count(*) FROM " + table_ + " WHERE timestamp < ?");
    count.bind(1, format_local(begin));
    count.executeStep();
    return static_cast<std::uint64_t>(count.getColumn(0).getInt64());
}

Removals::Pruned Removals::prune_before(LocalTime begin) {
    SQLite::Statement count(
        sql_, "SELECT count(*) FROM " + table_ + " WHERE removed_at IS NOT NULL AND timestamp < ?");
    count.bind(1, format_local(begin));
    count.executeStep();
    Pruned pruned;
    pruned.removed = static_cast<std::uint64_t>(count.getColumn(0).getInt64());
    SQLite::Statement remove(sql_, "DELETE FROM " + table_ + " WHERE timestamp < ?");
    remove.bind(1, format_local(begin));
    pruned.rows = static_cast<std::uint64_t>(remove.exec());
    return pruned;
}

std::uint64_t Removals::prune(LocalTime begin, LocalTime end) {
    SQLite::Statement remove(sql_, "DELETE FROM " + table_ +
                                       " WHERE removed_at IS NOT NULL AND timestamp >= ? "
                                       "AND timestamp < ?");
    remove.bind(1, format_local(begin));
    remove.bind(2, format_local(end));
    return static_cast<std::uint64_t>(remove.exec());
}

}  // namespace mirror::storage

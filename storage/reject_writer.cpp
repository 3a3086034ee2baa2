#include "storage/reject_writer.hpp"

#include <string>
#include <string_view>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>

#include "core/time/text.hpp"
#include "storage/seconds.hpp"

namespace mirror::storage {

std::int64_t RejectWriter::replace(const Window& window, std::span<const Reject> rejects,
                                   Instant now) {
    Copies copies;
    for (const Reject& reject : rejects) {
        ++copies[reject.record];
    }
    std::int64_t growth = -remove_others(window, copies);
    for (const Reject& reject : rejects) {
        // Each distinct one once.
        const auto first = copies.find(reject.record);
        if (first != copies.end()) {
            growth += store(window, reject, first->second, now);
            copies.erase(first);
        }
    }
    return growth;
}

std::int64_t RejectWriter::store(const Window& window, const Reject& reject, std::int64_t copies,
                                 Instant now) {
    // A record without a timestamp lies somewhere in every window that returned it: what they
    // share says best where, so that a later read of just that period can replace it.
    SQLite::Statement narrow(sql_, R"(
        UPDATE rejects SET "begin" = max("begin", ?2), "end" = min("end", ?3)
        WHERE stream = ?4 AND record = ?1 AND max("begin", ?2) < min("end", ?3)
          AND ("begin" < ?2 OR "end" > ?3))");
    narrow.bind(1, reject.record);
    narrow.bind(2, seconds(window.begin));
    narrow.bind(3, seconds(window.end));
    narrow.bind(4, stream_);
    narrow.exec();

    // All that are equal lie in one second if they have a timestamp, so that this window has
    // returned all of them; without one, others may lie in a window that shares nothing with this.
    SQLite::Statement recount(sql_, R"(
        UPDATE rejects SET copies = ?2
        WHERE stream = ?5 AND record = ?1 AND copies <> ?2
          AND (timestamp IS NOT NULL OR max("begin", ?3) < min("end", ?4)))");
    recount.bind(1, reject.record);
    recount.bind(2, copies);
    recount.bind(3, seconds(window.begin));
    recount.bind(4, seconds(window.end));
    recount.bind(5, stream_);
    recount.exec();

    SQLite::Statement insert(sql_, R"(
        INSERT INTO rejects
            (received_at, "begin", "end", timestamp, reason, record, copies, id, stream)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (stream, record) DO NOTHING)");
    insert.bind(1, seconds(now));
    insert.bind(2, seconds(window.begin));
    insert.bind(3, seconds(window.end));
    if (reject.time) {
        insert.bind(4, format_local(*reject.time));
    }
    insert.bind(5, reject.reason);
    insert.bind(6, reject.record);
    insert.bind(7, copies);
    if (reject.id) {
        insert.bind(8, *reject.id);
    }
    insert.bind(9, stream_);
    return insert.exec();
}

std::int64_t RejectWriter::remove_others(const Window& window, const Copies& copies) {
    const LocalPeriod span = zone_.span(window);
    SQLite::Statement query(sql_, R"(
        SELECT rowid, record, "begin", "end" FROM rejects
        WHERE stream = ?5 AND timestamp IS NULL AND "begin" < ?2 AND "end" > ?1
        UNION ALL
        SELECT rowid, record, ?1, ?2 FROM rejects
        WHERE stream = ?5 AND timestamp >= ?3 AND timestamp < ?4)");
    query.bind(1, seconds(window.begin));
    query.bind(2, seconds(window.end));
    query.bind(3, format_local(span.begin));
    query.bind(4, format_local(span.end));
    query.bind(5, stream_);
    std::vector<Placed> missed;
    while (query.executeStep()) {
        if (!copies.contains(query.getColumn(1).getString())) {
            missed.push_back({query.getColumn(0).getInt64(),
                              {instant(query.getColumn(2)), instant(query.getColumn(3))}});
        }
    }
    std::int64_t gone = 0;
    for (const Placed& reject : missed) {
        gone += leave(window, reject);
    }
    return gone;
}

// A reject that did not come again is not in this window. What is left of the place where it may
// be is kept as long as that is one period, so that reads of all its parts, one after the other,
// find it gone. Returns how many rows that deletes.
std::int64_t RejectWriter::leave(const Window& window, const Placed& reject) {
    if (window.contains(reject.within)) {
        SQLite::Statement remove(sql_, "DELETE FROM rejects WHERE rowid = ?");
        remove.bind(1, reject.row);
        return remove.exec();
    }
    Window rest = reject.within;
    if (window.begin <= rest.begin) {
        rest.begin = window.end;
    } else if (rest.end <= window.end) {
        rest.end = window.begin;
    } else {
        return 0;
    }
    SQLite::Statement shrink(sql_, R"(
        UPDATE rejects SET "begin" = ?2, "end" = ?3 WHERE rowid = ?1)");
    shrink.bind(1, reject.row);
    shrink.bind(2, seconds(rest.begin));
    shrink.bind(3, seconds(rest.end));
    shrink.exec();
    return 0;
}

}  // namespace mirror::storage

#include "storage/reject_writer.hpp"

#include <string>
#include <string_view>
#include <unordered_set>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>

#include "core/time/text.hpp"
#include "storage/seconds.hpp"

namespace mirror::storage {

std::int64_t RejectWriter::replace(const Window& window, const std::vector<Page>& pages,
                                   Instant now) {
    std::int64_t growth = -remove_others(window, pages);
    for (const Page& page : pages) {
        for (const Reject& reject : page.rejects) {
            growth += store(window, reject, now);
        }
    }
    return growth;
}

std::int64_t RejectWriter::store(const Window& window, const Reject& reject, Instant now) {
    // A record without a timestamp lies somewhere in every window that returned it: what they
    // share says best where, so that a later read of just that period can replace it.
    SQLite::Statement narrow(sql_, R"(
        UPDATE rejects SET "begin" = max("begin", ?2), "end" = min("end", ?3)
        WHERE record = ?1 AND max("begin", ?2) < min("end", ?3)
          AND ("begin" < ?2 OR "end" > ?3))");
    narrow.bind(1, reject.record);
    narrow.bind(2, seconds(window.begin));
    narrow.bind(3, seconds(window.end));
    narrow.exec();

    SQLite::Statement insert(sql_, R"(
        INSERT INTO rejects (received_at, "begin", "end", timestamp, reason, record)
        VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (record) DO NOTHING)");
    insert.bind(1, seconds(now));
    insert.bind(2, seconds(window.begin));
    insert.bind(3, seconds(window.end));
    if (reject.time) {
        insert.bind(4, format_local(*reject.time));
    }
    insert.bind(5, reject.reason);
    insert.bind(6, reject.record);
    return insert.exec();
}

std::int64_t RejectWriter::remove_others(const Window& window, const std::vector<Page>& pages) {
    std::unordered_set<std::string_view> came_again;
    for (const Page& page : pages) {
        for (const Reject& reject : page.rejects) {
            came_again.insert(reject.record);
        }
    }
    const LocalPeriod span = zone_.span(window);
    SQLite::Statement query(sql_, R"(
        SELECT rowid, record FROM rejects
        WHERE (timestamp IS NULL AND "begin" >= ?1 AND "begin" < ?2 AND "end" <= ?2)
           OR (timestamp >= ?3 AND timestamp < ?4))");
    query.bind(1, seconds(window.begin));
    query.bind(2, seconds(window.end));
    query.bind(3, format_local(span.begin));
    query.bind(4, format_local(span.end));
    std::vector<std::int64_t> gone;
    while (query.executeStep()) {
        if (!came_again.contains(query.getColumn(1).getString())) {
            gone.push_back(query.getColumn(0).getInt64());
        }
    }
    for (const std::int64_t row : gone) {
        SQLite::Statement remove(sql_, "DELETE FROM rejects WHERE rowid = ?");
        remove.bind(1, row);
        remove.exec();
    }
    return static_cast<std::int64_t>(gone.size());
}

}  // namespace mirror::storage

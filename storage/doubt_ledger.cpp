#include "storage/doubt_ledger.hpp"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include "storage/seconds.hpp"

namespace mirror::storage {

std::vector<Doubt> DoubtLedger::load() const {
    std::vector<Doubt> doubts;
    SQLite::Statement query(sql_, R"(
        SELECT noticed_at, "begin", "end", rows FROM doubts WHERE stream = ? ORDER BY "begin")");
    query.bind(1, stream_);
    while (query.executeStep()) {
        Doubt doubt;
        doubt.noticed_at = instant(query.getColumn(0));
        doubt.window = {instant(query.getColumn(1)), instant(query.getColumn(2))};
        doubt.rows = static_cast<std::uint64_t>(query.getColumn(3).getInt64());
        doubts.push_back(doubt);
    }
    return doubts;
}

WindowSet DoubtLedger::noticed_until(Instant latest) const {
    WindowSet windows;
    for (const Doubt& doubt : load()) {
        if (doubt.noticed_at <= latest) {
            windows.add(doubt.window);
        }
    }
    return windows;
}

void DoubtLedger::add(const Window& window, Instant noticed_at, std::uint64_t rows) {
    WindowSet fresh(window);
    fresh.subtract(noticed_until(Instant::max()));
    for (const Window& part : fresh.windows()) {
        insert({noticed_at, part, rows});
        rows = 0;  // counted once
    }
}

void DoubtLedger::settle(const Window& window) {
    for (const Doubt& doubt : load()) {
        if (intersection(doubt.window, window).empty()) {
            continue;
        }
        SQLite::Statement remove(sql_, R"(DELETE FROM doubts WHERE stream = ? AND "begin" = ?)");
        remove.bind(1, stream_);
        remove.bind(2, seconds(doubt.window.begin));
        remove.exec();
        WindowSet rest(doubt.window);
        rest.subtract(window);
        std::uint64_t rows = doubt.rows;
        for (const Window& part : rest.windows()) {
            insert({doubt.noticed_at, part, rows});
            rows = 0;  // counted once
        }
    }
}

void DoubtLedger::not_later_than(Instant now) {
    SQLite::Statement statement(
        sql_, "UPDATE doubts SET noticed_at = ?1 WHERE stream = ?2 AND noticed_at > ?1");
    statement.bind(1, seconds(now));
    statement.bind(2, stream_);
    statement.exec();
}

void DoubtLedger::insert(const Doubt& doubt) {
    SQLite::Statement statement(sql_, R"(
        INSERT INTO doubts (stream, noticed_at, "begin", "end", rows) VALUES (?, ?, ?, ?, ?))");
    statement.bind(1, stream_);
    statement.bind(2, seconds(doubt.noticed_at));
    statement.bind(3, seconds(doubt.window.begin));
    statement.bind(4, seconds(doubt.window.end));
    statement.bind(5, static_cast<std::int64_t>(doubt.rows));
    statement.exec();
}

}  // namespace mirror::storage

#include "storage/coverage_ledger.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include "core/time/text.hpp"
#include "storage/seconds.hpp"

namespace mirror::storage {

struct CoverageLedger::Row {
    std::int64_t id;
    std::int64_t age;
    Window window;
};

std::vector<CoverageLedger::Row> CoverageLedger::rows_of(SQLite::Statement& query) {
    std::vector<Row> rows;
    while (query.executeStep()) {
        rows.push_back({query.getColumn(0).getInt64(),
                        query.getColumn(1).getInt64(),
                        {instant(query.getColumn(2)), instant(query.getColumn(3))}});
    }
    return rows;
}

namespace {

// What the window proves in local terms: of an hour that occurs twice, one pass alone proves
// nothing.
std::string local_begin(const Zone& zone, const Window& window) {
    return format_local(zone.to_local(zone.align_up(window.begin)));
}

std::string local_end(const Zone& zone, const Window& window) {
    return format_local(zone.to_local(zone.align_down(window.end)));
}

}  // namespace

WindowSet CoverageLedger::load(SQLite::Database& sql, const Stream& stream, std::int64_t age) {
    WindowSet covered;
    SQLite::Statement query(
        sql,
        R"(SELECT "begin", "end" FROM coverage WHERE stream = ? AND age = ? ORDER BY "begin")");
    query.bind(1, std::string(stream.name));
    query.bind(2, age);
    while (query.executeStep()) {
        covered.add({instant(query.getColumn(0)), instant(query.getColumn(1))});
    }
    return covered;
}

WindowSet CoverageLedger::of_other_rules() const {
    WindowSet found;
    SQLite::Statement query(sql_, R"(
        SELECT "begin", "end", local_end FROM coverage WHERE stream = ? AND age = 0)");
    query.bind(1, stream_);
    while (query.executeStep()) {
        const Window window{instant(query.getColumn(0)), instant(query.getColumn(1))};
        if (query.getColumn(2).getString() != local_end(zone_, window)) {
            found.add(window);
        }
    }
    return found;
}

// What overlaps or touches: of the windows that begin earlier, only the last one can. So an index
// finds them, however many there are.
std::vector<CoverageLedger::Row> CoverageLedger::touching(std::int64_t age,
                                                          const Window& window) const {
    SQLite::Statement query(sql_, R"(
        SELECT rowid, age, "begin", "end" FROM coverage
        WHERE stream = ?4 AND age = ?1 AND "begin" <= ?3 AND "end" >= ?2
          AND "begin" >= ifnull((SELECT max("begin") FROM coverage
                                 WHERE stream = ?4 AND age = ?1 AND "begin" <= ?2), ?2)
        ORDER BY "begin")");
    query.bind(1, age);
    query.bind(2, seconds(window.begin));
    query.bind(3, seconds(window.end));
    query.bind(4, stream_);
    return rows_of(query);
}

std::vector<std::int64_t> CoverageLedger::ages() const {
    std::vector<std::int64_t> ages;
    SQLite::Statement next(sql_, "SELECT min(age) FROM coverage WHERE stream = ? AND age > ?");
    next.bind(1, stream_);
    for (std::int64_t last = -1;; last = ages.back()) {
        next.bind(2, last);
        if (!next.executeStep() || next.getColumn(0).isNull()) {
            return ages;
        }
        ages.push_back(next.getColumn(0).getInt64());
        next.reset();
    }
}

WindowSet CoverageLedger::within(std::int64_t age, const Window& window) const {
    WindowSet covered;
    for (const Row& row : touching(age, window)) {
        covered.add(intersection(row.window, window));
    }
    return covered;
}

void CoverageLedger::add(std::int64_t age, const Window& window) {
    if (window.empty()) {
        return;
    }
    const std::vector<Row> touched = touching(age, window);
    if (touched.empty()) {
        insert(age, window);
        return;
    }
    const Row& first = touched.front();
    if (first.window.contains(window)) {
        return;
    }
    const Window merged{std::min(first.window.begin, window.begin),
                        std::max(touched.back().window.end, window.end)};
    for (std::size_t i = 1; i < touched.size(); ++i) {
        SQLite::Statement remove(sql_, "DELETE FROM coverage WHERE rowid = ?");
        remove.bind(1, touched[i].id);
        remove.exec();
    }
    // The usual case, the tail, moves only the end: then the index is not written.
    if (merged.begin == first.window.begin) {
        SQLite::Statement update(
            sql_, R"(UPDATE coverage SET "end" = ?2, local_end = ?3 WHERE rowid = ?1)");
        update.bind(1, first.id);
        update.bind(2, seconds(merged.end));
        update.bind(3, local_end(zone_, merged));
        update.exec();
        return;
    }
    SQLite::Statement update(sql_, R"(
        UPDATE coverage SET "begin" = ?2, "end" = ?3, local_begin = ?4, local_end = ?5
        WHERE rowid = ?1)");
    update.bind(1, first.id);
    update.bind(2, seconds(merged.begin));
    update.bind(3, seconds(merged.end));
    update.bind(4, local_begin(zone_, merged));
    update.bind(5, local_end(zone_, merged));
    update.exec();
}

void CoverageLedger::subtract(const WindowSet& windows) {
    for (const std::int64_t age : ages()) {
        for (const Window& window : windows.windows()) {
            for (const Row& row : touching(age, window)) {
                cut(row, window);
            }
        }
    }
}

void CoverageLedger::forget_later_reads(const Window& window, Instant read_at) {
    for (const std::int64_t age : ages()) {
        const Window later{std::max(window.begin, read_at - Seconds(age)), window.end};
        if (age == 0 || later.empty()) {
            continue;
        }
        for (const Row& row : touching(age, later)) {
            cut(row, later);
        }
    }
}

void CoverageLedger::cut(const Row& row, const Window& window) {
    if (intersection(row.window, window).empty()) {
        return;
    }
    SQLite::Statement remove(sql_, "DELETE FROM coverage WHERE rowid = ?");
    remove.bind(1, row.id);
    remove.exec();
    WindowSet rest(row.window);
    rest.subtract(window);
    for (const Window& part : rest.windows()) {
        insert(row.age, part);
    }
}

void CoverageLedger::insert(std::int64_t age, const Window& window) {
    SQLite::Statement statement(sql_, R"(
        INSERT INTO coverage (stream, age, "begin", "end", local_begin, local_end)
        VALUES (?, ?, ?, ?, ?, ?))");
    statement.bind(1, stream_);
    statement.bind(2, age);
    statement.bind(3, seconds(window.begin));
    statement.bind(4, seconds(window.end));
    statement.bind(5, local_begin(zone_, window));
    statement.bind(6, local_end(zone_, window));
    statement.exec();
}

}  // namespace mirror::storage

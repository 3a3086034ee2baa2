#include "storage/comparison.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include "core/time/text.hpp"
#include "storage/erased_records.hpp"
#include "storage/kept_data.hpp"

namespace mirror::storage {
namespace {

using sync::RowDifference;

bool same(const SQLite::Column& column, const std::optional<std::int64_t>& value) {
    return value ? column.isInteger() && column.getInt64() == *value : column.isNull();
}

bool same(const SQLite::Column& column, const std::optional<std::string_view>& value) {
    return value ? column.isText() && column.getString() == *value : column.isNull();
}

bool holds(const SQLite::Column& column, const Field& field, const Row& row) {
    switch (field.kind) {
        case FieldKind::timestamp:
            return column.getString() == format_local(row.time);
        case FieldKind::integer:
            return same(column, row.integers[field.slot]);
        case FieldKind::dictionary: {
            const Entry& entry = row.entries[field.slot];
            return same(column, field.second ? entry.second : entry.first);
        }
        case FieldKind::text:
        case FieldKind::text_or_number:
        case FieldKind::json:
            break;
    }
    return same(column, row.texts[field.slot]);
}

// The ID and the timestamp, then every field of the view, and `extra`.
constexpr int first_field = 2;

std::string held_sql(const Stream& stream) {
    std::string sql = "SELECT id, timestamp";
    for (const Field& field : stream.fields) {
        sql += ", " + std::string(field.column);
    }
    return sql + ", extra FROM " + std::string(stream.name) +
           " WHERE timestamp >= ? AND timestamp < ? AND removed_at IS NULL";
}

std::optional<std::string> text_of(const SQLite::Column& column) {
    return column.isText() ? std::optional(column.getString()) : std::nullopt;
}

std::optional<std::string> text_of(const Field& field, const Row& row) {
    const auto& value =
        field.kind == FieldKind::dictionary ? row.entries[field.slot].first : row.texts[field.slot];
    return value ? std::optional(std::string(*value)) : std::nullopt;
}

// Rows have more than is kept while they are rewritten, and less if more is kept since: no more is
// compared than all of them have.
template <typename Cut>
bool same_less(const std::optional<std::string>& held, const std::optional<std::string>& shown,
               const Cut& less) {
    return (held ? less(*held) : std::nullopt) == (shown ? less(*shown) : std::nullopt);
}

bool agrees(SQLite::Statement& held, const Stream& stream, const Row& row, const Privacy& kept) {
    int place = first_field;
    for (const Field& field : stream.fields) {
        const SQLite::Column column = held.getColumn(place++);
        const bool cut_field =
            may_cut(kept, field) &&
            same_less(text_of(column), text_of(field, row),
                      [&](const std::string& text) { return cut(kept, field, text); });
        if (!cut_field && !holds(column, field, row)) {
            return false;
        }
    }
    const SQLite::Column extra = held.getColumn(place);
    return same(extra, row.extra) ||
           (kept.cuts() &&
            same_less(text_of(extra),
                      row.extra ? std::optional(std::string(*row.extra)) : std::nullopt,
                      [&](const std::string& text) { return cut_extra(kept, text); }));
}

// All are read in the order of an index, and merged. The API still shows what was erased.
std::string seconds_sql(const Stream& stream, const char* direction) {
    const std::string of_stream = " WHERE stream = '" + std::string(stream.name) +
                                  "' AND timestamp >= ?1 AND timestamp <= ?2";
    return "SELECT timestamp FROM " + std::string(stream.table) +
           " WHERE timestamp >= ?1 AND timestamp <= ?2 UNION SELECT timestamp FROM erased" +
           of_stream + " UNION SELECT timestamp FROM rejects" + of_stream + " ORDER BY timestamp " +
           direction + " LIMIT ?3";
}

// How many distinct seconds with rows are looked at for a quiet one beside them: more than a busy
// day has.
constexpr int most_seconds = 100'000;

std::optional<LocalTime> time_of(const SQLite::Column& column) {
    return column.isNull() ? std::nullopt : parse_local(column.getString());
}

// By ID; several records may have the same one.
using Shown = std::unordered_multimap<std::int64_t, Row>;

// Of those with this ID, the one of this time, or else any.
Shown::iterator record_of(Shown& shown, std::int64_t id, std::optional<LocalTime> time) {
    const auto [first, last] = shown.equal_range(id);
    const auto same_time = std::find_if(
        first, last, [time](const auto& record) { return record.second.time == time; });
    return same_time != last ? same_time : (first == last ? shown.end() : first);
}

}  // namespace

std::vector<RowDifference> Comparison::differences(const sync::WholeWindow& whole) {
    const LocalPeriod span = zone_.span(whole.proven);
    ErasedRecords erased(sql_, zone_, stream_);
    erased.load();
    Shown shown;
    PackedRows::Reader reader = whole.records.rows.read();
    while (const Row* const row = reader.next()) {
        if (span.begin <= row->time && row->time < span.end && !erased.hides(*row)) {
            shown.emplace(row->id, *row);
        }
    }
    std::vector<RowDifference> differences;
    const Privacy kept = kept_data(sql_).narrowest;
    SQLite::Statement held(sql_, held_sql(stream_));
    held.bind(1, format_local(span.begin));
    held.bind(2, format_local(span.end));
    while (held.executeStep()) {
        const std::int64_t id = held.getColumn(0).getInt64();
        const auto time = time_of(held.getColumn(1));
        const auto found = record_of(shown, id, time);
        if (found == shown.end()) {
            differences.push_back({time.value_or(span.begin), id, RowDifference::Kind::gone});
            continue;
        }
        const Row& row = found->second;
        if (!agrees(held, stream_, row, kept)) {
            differences.push_back({row.time, id, RowDifference::Kind::changed});
        }
        shown.erase(found);
    }
    // The file's count has it, and the API's has not.
    for (const ErasedKey& key : erased.missing_from(whole)) {
        differences.push_back({key.time, key.id, RowDifference::Kind::gone});
    }
    for (const auto& [id, row] : shown) {
        if (!is_kept_reject(id, row.time)) {
            differences.push_back({row.time, id, RowDifference::Kind::missing});
        }
    }
    return differences;
}

// A record whose ID is that of another row.
bool Comparison::is_kept_reject(std::int64_t id, LocalTime time) {
    SQLite::Statement kept(sql_,
                           "SELECT 1 FROM rejects WHERE stream = ? AND id = ? AND timestamp = ?");
    kept.bind(1, std::string(stream_.name));
    kept.bind(2, id);
    kept.bind(3, format_local(time));
    return kept.executeStep();
}

std::optional<LocalTime> Comparison::row_free_second(LocalTime begin, LocalTime end,
                                                     sync::RowFreeNear near) {
    switch (near) {
        case sync::RowFreeNear::begin:
            return quiet_after(begin, end);
        case sync::RowFreeNear::end:
            return quiet_before(end, begin);
        case sync::RowFreeNear::middle:
            break;
    }
    const std::optional<LocalTime> middle = middle_row(begin, end);
    if (!middle) {
        return std::nullopt;
    }
    // A bound does not halve the period.
    const auto after = quiet_after(*middle, end - Seconds(1));
    const auto before = quiet_before(*middle, begin + Seconds(1));
    if (!after || !before) {
        return after ? after : before;
    }
    return *after - *middle < *middle - *before ? after : before;
}

std::optional<LocalTime> Comparison::nth_record(LocalTime begin, LocalTime end, std::uint64_t n) {
    SQLite::Statement nth(sql_,
                          "SELECT timestamp FROM " + std::string(stream_.table) +
                              " WHERE timestamp >= ?1 AND timestamp < ?2 AND removed_at IS NULL "
                              "UNION ALL "
                              "SELECT timestamp FROM rejects "
                              "WHERE stream = ?4 AND timestamp >= ?1 AND timestamp < ?2 "
                              "UNION ALL "
                              "SELECT timestamp FROM erased WHERE stream = ?4 "
                              "AND timestamp >= ?1 AND timestamp < ?2 AND gone_at IS NULL "
                              "ORDER BY timestamp LIMIT 1 OFFSET ?3");
    nth.bind(1, format_local(begin));
    nth.bind(2, format_local(end));
    nth.bind(3, static_cast<std::int64_t>(n));
    nth.bind(4, std::string(stream_.name));
    return nth.executeStep() ? time_of(nth.getColumn(0)) : std::nullopt;
}

// The first second from `from` on that has nothing within a second on both sides.
std::optional<LocalTime> Comparison::quiet_after(LocalTime from, LocalTime end) {
    SQLite::Statement seconds(sql_, seconds_sql(stream_, "ASC"));
    seconds.bind(1, format_local(from - Seconds(1)));
    seconds.bind(2, format_local(end + Seconds(1)));
    seconds.bind(3, most_seconds);
    LocalTime quiet = from;
    int seen = 0;
    while (seconds.executeStep()) {
        const auto busy = time_of(seconds.getColumn(0));
        if (!busy || *busy > quiet + Seconds(1)) {
            break;
        }
        quiet = *busy + Seconds(2);
        ++seen;
    }
    return quiet <= end && seen < most_seconds ? std::optional(quiet) : std::nullopt;
}

std::optional<LocalTime> Comparison::quiet_before(LocalTime from, LocalTime begin) {
    SQLite::Statement seconds(sql_, seconds_sql(stream_, "DESC"));
    seconds.bind(1, format_local(begin - Seconds(1)));
    seconds.bind(2, format_local(from + Seconds(1)));
    seconds.bind(3, most_seconds);
    LocalTime quiet = from;
    int seen = 0;
    while (seconds.executeStep()) {
        const auto busy = time_of(seconds.getColumn(0));
        if (!busy || *busy < quiet - Seconds(1)) {
            break;
        }
        quiet = *busy - Seconds(2);
        ++seen;
    }
    return quiet >= begin && seen < most_seconds ? std::optional(quiet) : std::nullopt;
}

std::optional<LocalTime> Comparison::middle_row(LocalTime begin, LocalTime end) {
    const std::string in_period =
        " FROM " + std::string(stream_.table) + " WHERE timestamp >= ?1 AND timestamp < ?2";
    SQLite::Statement middle(sql_, "SELECT timestamp" + in_period +
                                       " ORDER BY timestamp LIMIT 1 OFFSET (SELECT count(*) / 2" +
                                       in_period + ")");
    middle.bind(1, format_local(begin));
    middle.bind(2, format_local(end));
    return middle.executeStep() ? time_of(middle.getColumn(0)) : std::nullopt;
}

}  // namespace mirror::storage

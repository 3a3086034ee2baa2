#include "storage/comparison.hpp"

#include <string>
#include <string_view>
#include <unordered_map>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include "core/time/text.hpp"

namespace mirror::storage {
namespace {

using sync::RowDifference;

bool same(const SQLite::Column& column, const std::optional<std::int64_t>& value) {
    return value ? column.isInteger() && column.getInt64() == *value : column.isNull();
}

bool same(const SQLite::Column& column, const std::optional<std::string_view>& value) {
    return value ? column.isText() && column.getString() == *value : column.isNull();
}

// How many distinct seconds with rows are looked at for a quiet one beside them: more than a busy
// day has.
constexpr int most_seconds = 100'000;

std::optional<LocalTime> time_of(const SQLite::Column& column) {
    return column.isNull() ? std::nullopt : parse_local(column.getString());
}

}  // namespace

std::vector<RowDifference> Comparison::differences(const sync::WholeWindow& whole) {
    const LocalPeriod span = zone_.span(whole.proven);
    std::unordered_map<std::int64_t, Impression> shown;
    PackedRows::Reader reader = whole.records.rows.read();
    while (const Impression* const row = reader.next()) {
        if (span.begin <= row->time && row->time < span.end) {
            shown.emplace(row->id, *row);
        }
    }
    std::vector<RowDifference> differences;
    SQLite::Statement held(sql_, R"(
        SELECT id, timestamp, mailing, ip, useragent, device, destination, profile, subprofile,
               extra
        FROM impressions WHERE timestamp >= ? AND timestamp < ? AND removed_at IS NULL)");
    held.bind(1, format_local(span.begin));
    held.bind(2, format_local(span.end));
    while (held.executeStep()) {
        const std::int64_t id = held.getColumn(0).getInt64();
        const auto found = shown.find(id);
        if (found == shown.end()) {
            differences.push_back(
                {time_of(held.getColumn(1)).value_or(span.begin), id, RowDifference::Kind::gone});
            continue;
        }
        const Impression& row = found->second;
        const bool agrees =
            held.getColumn(1).getString() == format_local(row.time) &&
            same(held.getColumn(2), row.mailing) && same(held.getColumn(3), row.ip) &&
            same(held.getColumn(4), row.useragent) && same(held.getColumn(5), row.device) &&
            same(held.getColumn(6), row.destination) && same(held.getColumn(7), row.profile) &&
            same(held.getColumn(8), row.subprofile) && same(held.getColumn(9), row.extra);
        if (!agrees) {
            differences.push_back({row.time, id, RowDifference::Kind::changed});
        }
        shown.erase(found);
    }
    for (const auto& [id, row] : shown) {
        differences.push_back({row.time, id, RowDifference::Kind::missing});
    }
    return differences;
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
    const auto after = quiet_after(*middle, end);
    const auto before = quiet_before(*middle, begin);
    if (!after || !before) {
        return after ? after : before;
    }
    return *after - *middle < *middle - *before ? after : before;
}

// The first second from `from` on that has nothing within a second on both sides.
std::optional<LocalTime> Comparison::quiet_after(LocalTime from, LocalTime end) {
    SQLite::Statement seconds(sql_, R"(
        SELECT DISTINCT timestamp FROM impression_rows WHERE timestamp >= ? AND timestamp <= ?
        ORDER BY timestamp LIMIT ?)");
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
    SQLite::Statement seconds(sql_, R"(
        SELECT DISTINCT timestamp FROM impression_rows WHERE timestamp >= ? AND timestamp <= ?
        ORDER BY timestamp DESC LIMIT ?)");
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
    SQLite::Statement middle(sql_, R"(
        SELECT timestamp FROM impression_rows WHERE timestamp >= ?1 AND timestamp < ?2
        ORDER BY timestamp LIMIT 1 OFFSET
            (SELECT count(*) / 2 FROM impression_rows WHERE timestamp >= ?1 AND timestamp < ?2))");
    middle.bind(1, format_local(begin));
    middle.bind(2, format_local(end));
    return middle.executeStep() ? time_of(middle.getColumn(0)) : std::nullopt;
}

}  // namespace mirror::storage

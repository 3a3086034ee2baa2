#include "storage/mirror_reader.hpp"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>

#include "core/time/text.hpp"
#include "storage/doubt_ledger.hpp"
#include "storage/kept_data.hpp"
#include "storage/mailing_counter.hpp"
#include "storage/seconds.hpp"

namespace mirror::storage {

MirrorReader::MirrorReader(Database& database, const Zone& zone, const Stream& stream)
    : database_(database),
      zone_(zone),
      stream_(stream),
      table_(stream.table),
      facts_(database_.sql(), stream),
      comparison_(database_.sql(), zone_, stream) {}

WindowSet MirrorReader::coverage(std::int64_t age) {
    return database_.guarded([&] { return CoverageLedger::load(database_.sql(), stream_, age); });
}

std::vector<sync::RowDifference> MirrorReader::compare(
    const std::vector<sync::WholeWindow>& windows) {
    return database_.guarded([&] {
        std::vector<sync::RowDifference> all;
        for (const sync::WholeWindow& whole : windows) {
            const auto found = comparison_.differences(whole);
            all.insert(all.end(), found.begin(), found.end());
        }
        return all;
    });
}

std::optional<LocalTime> MirrorReader::row_free_second(LocalTime begin, LocalTime end,
                                                       sync::RowFreeNear near) {
    return database_.guarded([&] { return comparison_.row_free_second(begin, end, near); });
}

WindowSet MirrorReader::doubts(Instant latest) {
    return database_.guarded(
        [&] { return DoubtLedger(database_.sql(), stream_).noticed_until(latest); });
}

std::uint64_t MirrorReader::count_removed(LocalTime begin, LocalTime end) {
    return database_.guarded([&] {
        SQLite::Statement query(
            database_.sql(),
            "SELECT count(*) FROM " + table_ +
                " WHERE timestamp >= ? AND timestamp < ? AND removed_at IS NOT NULL");
        query.bind(1, format_local(begin));
        query.bind(2, format_local(end));
        query.executeStep();
        return static_cast<std::uint64_t>(query.getColumn(0).getInt64());
    });
}

std::optional<LocalTime> MirrorReader::middle_row(LocalTime begin, LocalTime end) {
    return database_.guarded([&] { return comparison_.middle_row(begin, end); });
}

std::optional<LocalTime> MirrorReader::nth_record(LocalTime begin, LocalTime end, std::uint64_t n) {
    return database_.guarded([&] { return comparison_.nth_record(begin, end, n); });
}

WindowSet MirrorReader::covered_by_other_rules() {
    return database_.guarded(
        [&] { return CoverageLedger(database_.sql(), zone_, stream_).of_other_rules(); });
}

std::uint64_t MirrorReader::count(LocalTime begin, LocalTime end) {
    return database_.guarded([&] {
        // Index ranges; no row is looked at. A reject without a time counts where its window
        // begins. What was erased counts as long as the API shows it.
        const std::string rows =
            "(SELECT count(*) FROM " + table_ + " WHERE timestamp BETWEEN ?1 AND ?2";
        SQLite::Statement query(
            database_.sql(), "SELECT " + rows + ") - " + rows + " AND removed_at IS NOT NULL)" + R"(
            + (SELECT ifnull(sum(copies), 0) FROM rejects
               WHERE stream = ?5 AND timestamp BETWEEN ?1 AND ?2)
            + (SELECT ifnull(sum(copies), 0) FROM rejects
               WHERE stream = ?5 AND timestamp IS NULL AND "begin" BETWEEN ?3 AND ?4)
            + (SELECT ifnull(sum(copies), 0) FROM erased
               WHERE stream = ?5 AND timestamp BETWEEN ?1 AND ?2 AND gone_at IS NULL))");
        query.bind(1, format_local(begin));
        query.bind(2, format_local(end));
        query.bind(3, seconds(zone_.earliest(begin)));
        query.bind(4, seconds(zone_.latest(end)));
        query.bind(5, std::string(stream_.name));
        query.executeStep();
        return static_cast<std::uint64_t>(query.getColumn(0).getInt64());
    });
}

sync::UnplacedRejects MirrorReader::unplaced_rejects(LocalTime begin, LocalTime end) {
    return database_.guarded([&] {
        SQLite::Statement query(database_.sql(), R"(
            SELECT ifnull(sum(copies) FILTER (WHERE "begin" BETWEEN ?1 AND ?2 AND "end" > ?2 + 1), 0),
                   ifnull(sum(copies) FILTER (WHERE "begin" < ?1 AND "end" > ?1), 0)
            FROM rejects WHERE stream = ?3 AND timestamp IS NULL)");
        query.bind(1, seconds(zone_.earliest(begin)));
        query.bind(2, seconds(zone_.latest(end)));
        query.bind(3, std::string(stream_.name));
        query.executeStep();
        sync::UnplacedRejects unplaced;
        unplaced.counted = static_cast<std::uint64_t>(query.getColumn(0).getInt64());
        unplaced.others = static_cast<std::uint64_t>(query.getColumn(1).getInt64());
        return unplaced;
    });
}

plan::MailingCounts MirrorReader::mailing_counts(LocalTime begin, LocalTime end,
                                                 std::optional<std::int64_t> mailing) {
    return database_.guarded([&] {
        return MailingCounter(database_.sql(), zone_, stream_).count({begin, end}, mailing);
    });
}

LocalTime MirrorReader::time_of(const std::string& text) const {
    const std::optional<LocalTime> time = parse_local(text);
    if (!time) {
        throw DatabaseError(DatabaseErrorKind::damaged, "database " + database_.path().string() +
                                                            ": a row has the timestamp \"" + text +
                                                            "\", which this program never writes");
    }
    return *time;
}

std::vector<plan::SampledRow> MirrorReader::newest_sample(LocalTime before, std::size_t most) {
    return database_.guarded([&] {
        const bool has_mailing = has_column(stream_, "mailing");
        SQLite::Statement newest(database_.sql(), "SELECT id, timestamp" +
                                                      std::string(has_mailing ? ", mailing" : "") +
                                                      " FROM " + table_ +
                                                      " WHERE timestamp < ? AND removed_at IS NULL "
                                                      "ORDER BY timestamp DESC LIMIT ?");
        newest.bind(1, format_local(before));
        newest.bind(2, static_cast<std::int64_t>(most));
        std::vector<plan::SampledRow> rows;
        while (newest.executeStep()) {
            plan::SampledRow row;
            row.id = newest.getColumn(0).getInt64();
            row.time = time_of(newest.getColumn(1).getString());
            if (has_mailing && !newest.getColumn(2).isNull()) {
                row.mailing = newest.getColumn(2).getInt64();
            }
            rows.push_back(row);
        }
        return rows;
    });
}

std::optional<sync::NewestRows> MirrorReader::newest_rows(LocalTime before) {
    return database_.guarded([&]() -> std::optional<sync::NewestRows> {
        SQLite::Statement newest(database_.sql(), "SELECT timestamp FROM " + table_ +
                                                      " WHERE timestamp < ? AND removed_at IS NULL "
                                                      "ORDER BY timestamp DESC LIMIT 1");
        newest.bind(1, format_local(before));
        if (!newest.executeStep()) {
            return std::nullopt;
        }
        const std::string text = newest.getColumn(0).getString();
        const LocalTime time = time_of(text);
        SQLite::Statement rows(database_.sql(), "SELECT count(*) FROM " + table_ +
                                                    " WHERE timestamp = ? AND removed_at IS NULL");
        rows.bind(1, text);
        rows.executeStep();
        sync::NewestRows found;
        found.time = time;
        found.rows = static_cast<std::uint64_t>(rows.getColumn(0).getInt64());
        return found;
    });
}

bool MirrorReader::is_rewriting() {
    return database_.guarded([&] { return storage::is_rewriting(database_.sql()); });
}

std::optional<std::string> MirrorReader::fact(const std::string& key) {
    return database_.guarded([&] { return facts_.get(key); });
}

}  // namespace mirror::storage

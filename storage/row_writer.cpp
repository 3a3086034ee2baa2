#include "storage/row_writer.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <sqlite3.h>

namespace mirror::storage {
namespace {

// Rows that are looked up together.
constexpr std::size_t rows_at_a_time = 500;

// Rows an INSERT: each saves a step, a reset and the statement's own start; beyond some twenty
// nothing more is gained.
constexpr std::size_t insert_size = 20;

// Rows of others that a look-up passes by before it seeks the next one of ours: a seek costs about
// as much as so many steps.
constexpr int most_passed_by = 8;

// Parameters 1 and 2 are the times, which all rows of a statement share.
constexpr int shared_parameters = 2;
constexpr int row_parameters = 9;

// What a row holds beside its times, in the order in which it is bound and looked up.
constexpr std::string_view columns =
    "id, mailing, timestamp, ip, user_agent, destination, profile, subprofile, extra";
constexpr int removed_at_column = row_parameters;

// OR FAIL: SQLite keeps a journal to undo a single statement where several rows might be left half
// written. A row that cannot be written ends the whole transaction here. Not for a single row,
// which needs no journal: triggers would take OR FAIL for what they say themselves.
std::string insert_sql(std::size_t rows) {
    std::string sql = rows == 1 ? "INSERT" : "INSERT OR FAIL";
    sql += " INTO impression_rows (";
    sql += columns;
    sql += ", first_seen, changed_at) VALUES ";
    int parameter = shared_parameters;
    for (std::size_t row = 0; row < rows; ++row) {
        sql += row == 0 ? "(" : ", (";
        for (int i = 0; i < row_parameters; ++i) {
            sql += "?" + std::to_string(++parameter) + ", ";
        }
        sql += "?1, ?2)";
    }
    return sql;
}

std::string held_sql() {
    return "SELECT " + std::string(columns) +
           ", removed_at FROM impression_rows WHERE id BETWEEN ?1 AND ?2 ORDER BY id";
}

constexpr std::string_view any_trigger_sql =
    "SELECT count(*) FROM sqlite_schema "
    "WHERE type = 'trigger' AND tbl_name = 'impression_rows' COLLATE NOCASE";

constexpr std::string_view update_sql =
    "UPDATE impression_rows SET changed_at = ?2, removed_at = NULL, mailing = ?4, timestamp = ?5, "
    "ip = ?6, user_agent = ?7, destination = ?8, profile = ?9, subprofile = ?10, extra = ?11 "
    "WHERE id = ?3";

}  // namespace

RowWriter::RowWriter(sqlite3* connection)
    : user_agents_(connection),
      connection_(connection),
      held_(connection, held_sql()),
      any_trigger_(connection, any_trigger_sql),
      insert_many_(connection, insert_sql(insert_size)),
      insert_one_(connection, insert_sql(1)),
      update_(connection, update_sql) {}

void RowWriter::write(const PackedRows& rows, const WriteTimes& times, RowCounts& counts) {
    numbers_.assign(rows.agents().size(), {});
    triggers_ = any_trigger_.run().value_or(0) != 0;
    PackedRows::Reader reader = rows.read();
    while (take(reader, rows)) {
        write_taken(times, counts);
    }
}

bool RowWriter::take(PackedRows::Reader& reader, const PackedRows& rows) {
    taken_.clear();
    while (taken_.size() < rows_at_a_time) {
        const Impression* const next = reader.next();
        if (next == nullptr) {
            break;
        }
        Row& row = taken_.emplace_back();
        row.values = *next;
        row.user_agent = number_of(reader.agent(), rows);
        write_local(next->time, row.timestamp.data());
    }
    return !taken_.empty();
}

std::optional<std::int64_t> RowWriter::number_of(std::size_t agent, const PackedRows& rows) {
    Number& number = numbers_[agent];
    if (!number.known) {
        const auto& [useragent, device] = rows.agents()[agent];
        number.value = user_agents_.number(useragent, device);
        number.known = true;
    }
    return number.value;
}

// In the order of IDs, so that one scan finds what the file holds, and what is new is appended. An
// ID that comes again has to wait until the one before it is written.
void RowWriter::write_taken(const WriteTimes& times, RowCounts& counts) {
    const auto by_id = [](const Row* a, const Row* b) { return a->values.id < b->values.id; };
    const auto same_id = [](const Row* a, const Row* b) { return a->values.id == b->values.id; };
    Rows rows;
    rows.reserve(taken_.size());
    for (const Row& row : taken_) {
        rows.push_back(&row);
    }
    if (!std::is_sorted(rows.begin(), rows.end(), by_id)) {
        std::stable_sort(rows.begin(), rows.end(), by_id);
    }
    while (!rows.empty()) {
        Rows once;
        Rows again;
        for (const Row* const row : rows) {
            const bool repeated = !once.empty() && same_id(once.back(), row);
            (repeated ? again : once).push_back(row);
        }
        // Room for all of them, so that nothing is thrown while a look-up is at work.
        new_.clear();
        new_.reserve(once.size());
        changed_.clear();
        changed_.reserve(once.size());
        look_up(once, counts);
        insert(times, counts);
        update(times, counts);
        rows = std::move(again);
    }
}

// Sorts the rows, ascending and each ID once, into new, changed and unchanged ones.
void RowWriter::look_up(const Rows& rows, RowCounts& counts) {
    auto next = rows.begin();
    bool at_end = false;
    while (next != rows.end() && !at_end) {
        held_.bind(1, (*next)->values.id);
        held_.bind(2, rows.back()->values.id);
        int passed_by = 0;
        while (next != rows.end() && passed_by <= most_passed_by) {
            if (!held_.step()) {
                at_end = true;
                break;
            }
            const std::int64_t held = held_.integer(0);
            while ((*next)->values.id < held) {
                new_.push_back(*next++);
            }
            if ((*next)->values.id == held) {
                judge(**next++, counts);
                passed_by = 0;
            } else {
                ++passed_by;
            }
        }
        held_.reset();
    }
    new_.insert(new_.end(), next, rows.end());
}

void RowWriter::judge(const Row& row, RowCounts& counts) {
    const bool removed = !held_.holds_null(removed_at_column);
    if (!removed && held_as_it_is(row)) {
        ++counts.unchanged;
        return;
    }
    changed_.push_back({&row, removed});
}

bool RowWriter::held_as_it_is(const Row& row) const {
    const Impression& values = row.values;
    int column = 0;  // the ID
    return held_.holds(++column, values.mailing) &&
           held_.holds(++column, std::string_view(row.timestamp.data(), row.timestamp.size())) &&
           held_.holds(++column, values.ip) && held_.holds(++column, row.user_agent) &&
           held_.holds(++column, values.destination) && held_.holds(++column, values.profile) &&
           held_.holds(++column, values.subprofile) && held_.holds(++column, values.extra);
}

void RowWriter::insert(const WriteTimes& times, RowCounts& counts) {
    std::span<const Row* const> rows(new_);
    const auto count = [&counts](std::span<const Row* const> inserted) {
        counts.inserted += inserted.size();
        if (counts.inserted_at != nullptr) {
            for (const Row* const row : inserted) {
                counts.inserted_at->push_back(row->values.time);
            }
        }
    };
    for (; !triggers_ && rows.size() >= insert_size; rows = rows.subspan(insert_size)) {
        insert(insert_many_, rows.first(insert_size), times);
        count(rows.first(insert_size));
    }
    for (; !rows.empty(); rows = rows.subspan(1)) {
        insert(insert_one_, rows.first(1), times);
        // A trigger may have said RAISE(IGNORE).
        if (sqlite3_changes(connection_) > 0) {
            count(rows.first(1));
        }
    }
}

void RowWriter::insert(RowStatement& statement, std::span<const Row* const> rows,
                       const WriteTimes& times) {
    statement.bind(1, times.now);
    statement.bind(2, times.changed_at);
    int parameter = shared_parameters;
    for (const Row* const row : rows) {
        bind_row(statement, parameter, *row);
    }
    statement.run();
}

void RowWriter::update(const WriteTimes& times, RowCounts& counts) {
    for (const Changed& changed : changed_) {
        int parameter = shared_parameters;
        update_.bind(2, times.changed_at);
        bind_row(update_, parameter, *changed.row);
        update_.run();
        // A trigger may have said RAISE(IGNORE).
        if (sqlite3_changes(connection_) > 0) {
            ++counts.updated;
            counts.returned += changed.removed ? 1 : 0;
        }
    }
}

void RowWriter::bind_row(RowStatement& statement, int& parameter, const Row& row) {
    const Impression& values = row.values;
    statement.bind(++parameter, values.id);
    statement.bind(++parameter, values.mailing);
    statement.bind(++parameter, std::string_view(row.timestamp.data(), row.timestamp.size()));
    statement.bind(++parameter, values.ip);
    statement.bind(++parameter, row.user_agent);
    statement.bind(++parameter, values.destination);
    statement.bind(++parameter, values.profile);
    statement.bind(++parameter, values.subprofile);
    statement.bind(++parameter, values.extra);
}

}  // namespace mirror::storage

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

// How many IDs of one window that came back as other events are reported.
constexpr std::size_t most_replaced = 10;

// Parameters 1 and 2 are the times, which all rows of a statement share.
constexpr int shared_parameters = 2;

// What a row holds beside its times, in the order in which it is bound and looked up.
std::string column_list(const std::vector<RowColumn>& columns) {
    std::string list = "id";
    for (const RowColumn& column : columns) {
        list += ", ";
        list += column.name;
    }
    return list + ", extra";
}

// The ID and `extra` are not among the columns.
std::size_t parameters_of(const std::vector<RowColumn>& columns) {
    return columns.size() + 2;
}

// Every stream has a timestamp.
std::size_t time_column(const std::vector<RowColumn>& columns) {
    const auto found = std::find_if(columns.begin(), columns.end(), [](const RowColumn& column) {
        return column.source == RowColumn::Source::timestamp;
    });
    return static_cast<std::size_t>(found - columns.begin());
}

std::optional<std::size_t> mailing_column(const std::vector<RowColumn>& columns) {
    const auto found = std::find_if(columns.begin(), columns.end(), [](const RowColumn& column) {
        return column.name == "mailing" && column.source == RowColumn::Source::integer;
    });
    return found == columns.end()
               ? std::nullopt
               : std::optional(static_cast<std::size_t>(found - columns.begin()));
}

// Where a look-up has the value of a column: the ID comes first.
int held_place(std::size_t column) {
    return static_cast<int>(column) + 1;
}

// OR FAIL: SQLite keeps a journal to undo a single statement if several rows might be left half
// written. A row that cannot be written ends the whole transaction here. Not for a single row,
// which needs no journal: triggers would take OR FAIL for what they say themselves.
std::string insert_sql(const Stream& stream, std::size_t rows) {
    const std::vector<RowColumn> columns = row_columns(stream);
    std::string sql = rows == 1 ? "INSERT" : "INSERT OR FAIL";
    sql += " INTO " + std::string(stream.table) + " (" + column_list(columns) +
           ", first_seen, changed_at) VALUES ";
    int parameter = shared_parameters;
    for (std::size_t row = 0; row < rows; ++row) {
        sql += row == 0 ? "(" : ", (";
        for (std::size_t i = 0; i < parameters_of(columns); ++i) {
            sql += "?" + std::to_string(++parameter) + ", ";
        }
        sql += "?1, ?2)";
    }
    return sql;
}

std::string held_sql(const Stream& stream) {
    return "SELECT " + column_list(row_columns(stream)) + ", removed_at FROM " +
           std::string(stream.table) + " WHERE id BETWEEN ?1 AND ?2 ORDER BY id";
}

std::string any_trigger_sql(const Stream& stream) {
    return "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = '" +
           std::string(stream.table) + "' COLLATE NOCASE";
}

// Binds a row as the INSERT does; ?1 has no use in it.
std::string update_sql(const Stream& stream) {
    std::string sql =
        "UPDATE " + std::string(stream.table) + " SET changed_at = ?2, removed_at = NULL";
    int parameter = shared_parameters + 1;
    for (const RowColumn& column : row_columns(stream)) {
        sql += ", " + std::string(column.name) + " = ?" + std::to_string(++parameter);
    }
    sql += ", extra = ?" + std::to_string(++parameter);
    return sql + " WHERE id = ?" + std::to_string(shared_parameters + 1);
}

}  // namespace

RowWriter::RowWriter(sqlite3* connection, const Stream& stream)
    : connection_(connection),
      columns_(row_columns(stream)),
      time_column_(time_column(columns_)),
      mailing_column_(mailing_column(columns_)),
      judge_(connection),
      held_(connection, held_sql(stream)),
      any_trigger_(connection, any_trigger_sql(stream)),
      insert_many_(connection, insert_sql(stream, insert_size)),
      insert_one_(connection, insert_sql(stream, 1)),
      update_(connection, update_sql(stream)) {
    for (const Dictionary* const dictionary : stream.dictionaries) {
        DictionaryTable::Made made;
        if (dictionary->table == "user_agents") {
            made = [this](std::int64_t number, const Entry& agent) { judge_.judge(number, agent); };
        }
        dictionaries_.push_back(std::make_unique<DictionaryTable>(
            connection, *dictionary, DictionaryTable::default_memory, std::move(made)));
    }
}

void RowWriter::forget() {
    held_.abandon();  // what a look-up was at when memory ran out
    for (const auto& dictionary : dictionaries_) {
        dictionary->forget();
    }
}

std::vector<std::int64_t> RowWriter::entries_of_last(std::size_t slot) const {
    std::vector<std::int64_t> entries;
    for (const Number& number : numbers_[slot]) {
        if (number.value) {
            entries.push_back(*number.value);
        }
    }
    return entries;
}

void RowWriter::write(const PackedRows& rows, const RowRule& rule, const WriteTimes& times,
                      RowCounts& counts) {
    proven_begin_ = format_local(rule.proven.begin);
    proven_end_ = format_local(rule.proven.end);
    for (std::size_t slot = 0; slot < dictionaries_.size(); ++slot) {
        numbers_[slot].assign(rows.entries(slot).size(), {});
    }
    triggers_ = any_trigger_.run().value_or(0) != 0;
    judge_.forget_rules();
    PackedRows::Reader reader = rows.read();
    while (take(reader, rows, rule, counts)) {
        write_taken(times, counts);
    }
}

bool RowWriter::take(PackedRows::Reader& reader, const PackedRows& rows, const RowRule& rule,
                     RowCounts& counts) {
    taken_.clear();
    while (taken_.size() < rows_at_a_time) {
        const Row* const next = reader.next();
        if (next == nullptr) {
            break;
        }
        const auto chosen = rule.chosen.find(next->id);
        if (chosen != rule.chosen.end() && chosen->second != next->time) {
            counts.conflicts.push_back({*next, chosen->second});
            continue;
        }
        Bound& row = taken_.emplace_back();
        row.values = *next;
        for (std::size_t slot = 0; slot < dictionaries_.size(); ++slot) {
            row.entries[slot] = number_of(slot, reader.entry(slot), rows);
        }
        write_local(next->time, row.timestamp.data());
    }
    return !taken_.empty();
}

std::optional<std::int64_t> RowWriter::number_of(std::size_t slot, std::size_t entry,
                                                 const PackedRows& rows) {
    Number& number = numbers_[slot][entry];
    if (!number.known) {
        number.value = dictionaries_[slot]->number(rows.entries(slot)[entry]);
        number.known = true;
    }
    return number.value;
}

// In the order of IDs, so that one scan finds what the file holds, and what is new is appended. An
// ID that comes again has to wait until the one before it is written.
void RowWriter::write_taken(const WriteTimes& times, RowCounts& counts) {
    const auto by_id = [](const Bound* a, const Bound* b) { return a->values.id < b->values.id; };
    const auto same_id = [](const Bound* a, const Bound* b) {
        return a->values.id == b->values.id;
    };
    Rows rows;
    rows.reserve(taken_.size());
    for (const Bound& row : taken_) {
        rows.push_back(&row);
    }
    if (!std::is_sorted(rows.begin(), rows.end(), by_id)) {
        std::stable_sort(rows.begin(), rows.end(), by_id);
    }
    while (!rows.empty()) {
        Rows once;
        Rows again;
        for (const Bound* const row : rows) {
            const bool repeated = !once.empty() && same_id(once.back(), row);
            (repeated ? again : once).push_back(row);
        }
        // Room for all of them, so that only conflicts take memory while a look-up is at work.
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

void RowWriter::judge(const Bound& row, RowCounts& counts) {
    const bool removed = !held_.holds_null(static_cast<int>(parameters_of(columns_)));
    if (!removed && held_as_it_is(row)) {
        ++counts.unchanged;
        return;
    }
    if (const auto elsewhere = removed ? std::nullopt : held_elsewhere(row)) {
        counts.conflicts.push_back({row.values, *elsewhere});
        return;
    }
    note_replaced(row, counts);
    changed_.push_back({&row, removed});
}

// An ID that has another time and another mailing is another event.
void RowWriter::note_replaced(const Bound& row, RowCounts& counts) const {
    if (counts.replaced.size() >= most_replaced || !mailing_column_) {
        return;
    }
    const int mailing_place = held_place(*mailing_column_);
    const int time_place = held_place(time_column_);
    const std::optional<std::int64_t>& value = row.values.integers[columns_[*mailing_column_].slot];
    if (held_.holds(mailing_place, value) || held_.holds(time_place, row.time_text())) {
        return;
    }
    sync::ReplacedRow replaced;
    replaced.id = row.values.id;
    replaced.time = row.values.time;
    replaced.mailing = value;
    replaced.time_before = held_.text(time_place);
    if (!held_.holds_null(mailing_place)) {
        replaced.mailing_before = held_.integer(mailing_place);
    }
    counts.replaced.push_back(std::move(replaced));
}

// The time of the row in another window, if that was not read again together with this record: then
// the row may still be there. Local times as text sort by time.
std::optional<LocalTime> RowWriter::held_elsewhere(const Bound& row) const {
    const std::string held = held_.text(held_place(time_column_));
    if (held == row.time_text() || (proven_begin_ <= held && held < proven_end_)) {
        return std::nullopt;
    }
    return parse_local(held);
}

bool RowWriter::held_as_it_is(const Bound& row) const {
    const auto holds = [&](int place, const RowColumn& column) {
        switch (column.source) {
            case RowColumn::Source::timestamp:
                return held_.holds(place, row.time_text());
            case RowColumn::Source::integer:
                return held_.holds(place, row.values.integers[column.slot]);
            case RowColumn::Source::text:
                return held_.holds(place, row.values.texts[column.slot]);
            case RowColumn::Source::entry:
                break;
        }
        return held_.holds(place, row.entries[column.slot]);
    };
    int place = 0;  // the ID
    for (const RowColumn& column : columns_) {
        if (!holds(++place, column)) {
            return false;
        }
    }
    return held_.holds(++place, row.values.extra);
}

void RowWriter::insert(const WriteTimes& times, RowCounts& counts) {
    std::span<const Bound* const> rows(new_);
    const auto count = [&counts](std::span<const Bound* const> inserted) {
        counts.inserted += inserted.size();
        if (counts.inserted_at != nullptr) {
            for (const Bound* const row : inserted) {
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

void RowWriter::insert(RowStatement& statement, std::span<const Bound* const> rows,
                       const WriteTimes& times) {
    statement.bind(1, times.now);
    statement.bind(2, times.changed_at);
    int parameter = shared_parameters;
    for (const Bound* const row : rows) {
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

void RowWriter::bind_row(RowStatement& statement, int& parameter, const Bound& row) const {
    statement.bind(++parameter, row.values.id);
    for (const RowColumn& column : columns_) {
        switch (column.source) {
            case RowColumn::Source::timestamp:
                statement.bind(++parameter, row.time_text());
                break;
            case RowColumn::Source::integer:
                statement.bind(++parameter, row.values.integers[column.slot]);
                break;
            case RowColumn::Source::text:
                statement.bind(++parameter, row.values.texts[column.slot]);
                break;
            case RowColumn::Source::entry:
                statement.bind(++parameter, row.entries[column.slot]);
                break;
        }
    }
    statement.bind(++parameter, row.values.extra);
}

}  // namespace mirror::storage

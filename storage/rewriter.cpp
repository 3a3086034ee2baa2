#include "storage/rewriter.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>

#include "storage/dictionary_table.hpp"
#include "storage/eraser.hpp"
#include "storage/kept_data.hpp"
#include "storage/metadata.hpp"
#include "storage/open_judge.hpp"
#include "storage/seconds.hpp"
#include "storage/sqlite/transaction.hpp"
#include "storage/turns.hpp"
#include "storage/unused_entries.hpp"

namespace mirror::storage {
namespace {

// Rows, or rejects, that one transaction looks at.
constexpr std::size_t rows_a_step = 1000;
constexpr std::size_t rejects_a_step = 500;

// Rows that one portion looks at: some seconds.
constexpr std::size_t rows_a_portion = 50'000;

// Between two portions an erasure has a turn, which waits 50 ms between two looks at its lock.
constexpr std::chrono::milliseconds turn_of_erasures(100);

std::optional<std::string> text_or_null(const SQLite::Column& column) {
    return column.isNull() ? std::nullopt : std::optional(column.getString());
}

void bind(SQLite::Statement& statement, int index, const std::optional<std::string>& text) {
    if (text) {
        statement.bind(index, *text);
    } else {
        statement.bind(index);
    }
}

bool is_judged(const Dictionary& dictionary) {
    return dictionary.table == judged_dictionary;
}

// What the entries of a dictionary become whose first texts are not kept.
class EntryCutter {
  public:
    EntryCutter(SQLite::Database& sql, const Field& field)
        : judge_(sql.getHandle()),
          table_(sql.getHandle(), *field.dictionary, DictionaryTable::default_memory,
                 is_judged(*field.dictionary)
                     ? DictionaryTable::Made([this](std::int64_t number, const Entry& entry) {
                           judge_.judge(number, entry);
                       })
                     : DictionaryTable::Made()),
          second_(sql,
                  fmt::format("SELECT {}, {} FROM {} WHERE id = ?", field.dictionary->first,
                              field.dictionary->second.empty() ? "NULL" : field.dictionary->second,
                              field.dictionary->table)) {}

    // Before each transaction.
    void begin() { judge_.forget_rules(); }

    std::optional<std::int64_t> cut(std::int64_t number) {
        if (const auto known = known_.find(number); known != known_.end()) {
            return known->second;
        }
        second_.bind(1, number);
        std::optional<std::int64_t> kept = number;
        if (second_.executeStep() && !second_.getColumn(0).isNull()) {
            const std::optional<std::string> second = text_or_null(second_.getColumn(1));
            kept = table_.number({std::nullopt, second});
        }
        second_.reset();
        known_.emplace(number, kept);
        return kept;
    }

  private:
    OpenJudge judge_;
    DictionaryTable table_;
    SQLite::Statement second_;
    std::unordered_map<std::int64_t, std::optional<std::int64_t>> known_;
};

// A column of rows of which not everything is kept; without a field, `extra`.
struct CutColumn {
    const Field* field;
    std::string name;
    std::shared_ptr<EntryCutter> entries;  // of a dictionary
};

// A row with its values for these columns; a number of an entry as a text.
struct CutRow {
    std::int64_t id;
    std::vector<std::optional<std::string>> values;
};

class Rewriter {
  public:
    Rewriter(Database& database, Instant now)
        : database_(database), sql_(database.sql()), now_(now) {}

    // True if all streams are done.
    bool rewrite_streams() {
        std::size_t rows_left = rows_a_portion;
        for (const Stream& stream : streams()) {
            for (;;) {
                const auto state = rewrite_state(sql_, stream);
                if (!state || state->reached == RewriteState::whole_table) {
                    break;
                }
                if (rows_left == 0) {
                    return false;
                }
                if (!rewrite_rows(stream)) {
                    rewrite_rejects(stream);
                }
                rows_left -= std::min(rows_left, rows_a_step);
                std::this_thread::sleep_for(pause_for_others);
            }
        }
        return true;
    }

    // Nothing has the user agents any more. From here on they are deleted whatever happens.
    void give_up_entries() {
        WriteTransaction transaction(database_);
        const Privacy privacy = kept_data(sql_).privacy;
        for (const Stream& stream : streams()) {
            for (const Field& field : stream.fields) {
                if (field.kind == FieldKind::dictionary && may_cut(privacy, field)) {
                    sql_.exec(
                        fmt::format("INSERT OR IGNORE INTO erased_entries "
                                    "SELECT '{0}', id FROM {0} WHERE {1} IS NOT NULL",
                                    field.dictionary->table, field.dictionary->first));
                }
            }
        }
        Facts(sql_).set(fact_key::erased_bytes_left, 1);
        transaction.commit();
    }

    // False if the rewriting began anew meanwhile.
    bool settle() {
        WriteTransaction transaction(database_);
        for (const Stream& stream : streams()) {
            const auto state = rewrite_state(sql_, stream);
            if (state && state->reached != RewriteState::whole_table) {
                return false;
            }
        }
        for (const Stream& stream : streams()) {
            set_rewrite_state(sql_, stream, std::nullopt);
        }
        transaction.commit();
        return true;
    }

  private:
    std::vector<CutColumn> columns_of(const Stream& stream, const Privacy& privacy) {
        std::vector<CutColumn> columns;
        for (const Field& field : stream.fields) {
            if (!may_cut(privacy, field)) {
                continue;
            }
            if (field.kind == FieldKind::dictionary) {
                auto& cutter = cutters_[field.dictionary];
                if (!cutter) {
                    cutter = std::make_shared<EntryCutter>(sql_, field);
                }
                cutter->begin();
                columns.push_back({&field, std::string(field.dictionary->number), cutter});
            } else {
                columns.push_back({&field, std::string(field.column), nullptr});
            }
        }
        columns.push_back({nullptr, "extra", nullptr});
        return columns;
    }

    static std::optional<std::string> kept_of(const CutColumn& column, const Privacy& privacy,
                                              const SQLite::Column& value) {
        if (value.isNull()) {
            return std::nullopt;
        }
        if (column.entries) {
            const auto number = column.entries->cut(value.getInt64());
            return number ? std::optional(std::to_string(*number)) : std::nullopt;
        }
        return column.field != nullptr ? cut(privacy, *column.field, value.getString())
                                       : cut_extra(privacy, value.getString());
    }

    // The next rows, in one transaction. False if there are no more.
    bool rewrite_rows(const Stream& stream) {
        WriteTransaction transaction(database_);
        std::optional<RewriteState> state = rewrite_state(sql_, stream);
        const Privacy privacy = kept_data(sql_).privacy;
        if (!state || !privacy.cuts()) {
            set_rewrite_state(sql_, stream, std::nullopt);
            transaction.commit();
            return true;
        }
        const std::vector<CutColumn> columns = columns_of(stream, privacy);
        std::string names;
        std::string values;
        for (const CutColumn& column : columns) {
            names += ", " + column.name;
            values += ", " + column.name + (column.entries ? " = CAST(? AS INTEGER)" : " = ?");
        }
        SQLite::Statement rows(sql_, fmt::format("SELECT id{} FROM {} WHERE id > ? ORDER BY id "
                                                 "LIMIT {}",
                                                 names, stream.table, rows_a_step));
        rows.bind(1, state->reached);
        std::vector<CutRow> changed;
        std::size_t looked_at = 0;
        while (rows.executeStep()) {
            state->reached = rows.getColumn(0).getInt64();
            ++looked_at;
            CutRow row{state->reached, {}};
            bool differs = false;
            int place = 0;
            for (const CutColumn& column : columns) {
                const SQLite::Column value = rows.getColumn(++place);
                row.values.push_back(kept_of(column, privacy, value));
                differs = differs || row.values.back() != text_or_null(value);
            }
            if (differs) {
                changed.push_back(std::move(row));
            }
        }
        rows.reset();
        write(stream, values, changed);
        state->rows += looked_at;
        set_rewrite_state(sql_, stream, state);
        transaction.commit();
        return looked_at == rows_a_step;
    }

    void write(const Stream& stream, const std::string& values, const std::vector<CutRow>& rows) {
        if (rows.empty()) {
            return;
        }
        Facts facts(sql_, stream);
        const std::int64_t changed_at =
            std::max(seconds(now_), facts.number(fact_key::last_change));
        SQLite::Statement update(
            sql_, fmt::format("UPDATE {} SET changed_at = ?{} WHERE id = ?", stream.table, values));
        for (const CutRow& row : rows) {
            int parameter = 0;
            update.bind(++parameter, changed_at);
            for (const auto& value : row.values) {
                bind(update, ++parameter, value);
            }
            update.bind(++parameter, row.id);
            update.exec();
            update.reset();
        }
        facts.set(fact_key::last_change, changed_at);
    }

    struct CutReject {
        std::int64_t row;
        std::string record;
        std::string kept;
        std::string reason;
    };

    // All of the stream, some in each transaction; then it is done. An interrupted call is made
    // again from the start: those that are cut already stay as they are.
    void rewrite_rejects(const Stream& stream) {
        const Privacy privacy = kept_data(sql_).privacy;
        std::int64_t reached = 0;
        while (rewrite_some_rejects(stream, privacy, reached)) {
        }
    }

    // The next ones after row `reached`. False if there are no more, or if the rule has changed
    // meanwhile: then the stream begins anew.
    bool rewrite_some_rejects(const Stream& stream, const Privacy& privacy, std::int64_t& reached) {
        WriteTransaction transaction(database_);
        std::optional<RewriteState> state = rewrite_state(sql_, stream);
        if (!state || kept_data(sql_).privacy != privacy) {
            return false;
        }
        std::vector<CutReject> changed;
        std::size_t looked_at = 0;
        SQLite::Statement query(sql_,
                                fmt::format("SELECT rowid, record, reason FROM rejects WHERE "
                                            "stream = ? AND rowid > ? ORDER BY rowid LIMIT {}",
                                            rejects_a_step));
        query.bind(1, std::string(stream.name));
        query.bind(2, reached);
        while (query.executeStep()) {
            CutReject reject{query.getColumn(0).getInt64(), query.getColumn(1).getString(), "",
                             query.getColumn(2).getString()};
            reached = reject.row;
            ++looked_at;
            reject.kept = cut_json(privacy, reject.record).value_or("null");
            if (reject.kept != reject.record) {
                changed.push_back(std::move(reject));
            }
        }
        query.reset();
        for (const CutReject& reject : changed) {
            rewrite(stream, reject);
        }
        const bool more = looked_at == rejects_a_step;
        if (!more) {
            state->reached = RewriteState::whole_table;
            set_rewrite_state(sql_, stream, state);
        }
        transaction.commit();
        return more;
    }

    // Two that are equal from now on become one, which counts for both.
    void rewrite(const Stream& stream, const CutReject& reject) {
        SQLite::Statement merge(sql_, R"(
            UPDATE rejects SET copies = rejects.copies + other.copies,
                "begin" = min(rejects."begin", other."begin"),
                "end" = max(rejects."end", other."end")
            FROM (SELECT copies, "begin", "end" FROM rejects WHERE rowid = ?1 AND record = ?2) AS other
            WHERE rejects.stream = ?3 AND rejects.record = ?4)");
        merge.bind(1, reject.row);
        merge.bind(2, reject.record);
        merge.bind(3, std::string(stream.name));
        merge.bind(4, reject.kept);
        if (merge.exec() > 0) {
            SQLite::Statement remove(sql_, "DELETE FROM rejects WHERE rowid = ?");
            remove.bind(1, reject.row);
            remove.exec();
            Facts facts(sql_, stream);
            facts.set(fact_key::rejects, facts.number(fact_key::rejects) - 1);
            return;
        }
        SQLite::Statement update(sql_,
                                 "UPDATE rejects SET record = ?, reason = ? "
                                 "WHERE rowid = ? AND record = ?");
        update.bind(1, reject.kept);
        update.bind(2, shows_personal_data(reject.reason)
                           ? std::string("unusable, and personal data was in it")
                           : reject.reason);
        update.bind(3, reject.row);
        update.bind(4, reject.record);
        update.exec();
    }

    Database& database_;
    SQLite::Database& sql_;
    Instant now_;
    std::unordered_map<const Dictionary*, std::shared_ptr<EntryCutter>> cutters_;
};

sync::Rewriting rewrite_some(Database& database, const MirrorOptions& options, Instant now) {
    EraseLock only_one(database.path());
    if (!only_one.take(options.busy_timeout)) {
        return sync::Rewriting::none;  // the next round goes on
    }
    Eraser eraser(database, options.zone);
    // First: what is cut does not match any more.
    if (eraser.unfinished()) {
        eraser.finish(now, [now] { return now; });
    }
    if (!is_rewriting(database.sql())) {
        return sync::Rewriting::none;
    }
    Rewriter rewriter(database, now);
    if (!rewriter.rewrite_streams()) {
        return sync::Rewriting::more;
    }
    rewriter.give_up_entries();
    UnusedEntries(database).erase();
    if (!eraser.clean(options.busy_timeout)) {
        return sync::Rewriting::none;  // a reader is in the way: the next round tries again
    }
    return rewriter.settle() ? sync::Rewriting::done : sync::Rewriting::more;
}

}  // namespace

sync::Rewriting rewrite_portion(const MirrorOptions& options, Instant now) {
    Database database = open_mirror(options, now);
    const sync::Rewriting state =
        database.guarded([&] { return rewrite_some(database, options, now); });
    if (state == sync::Rewriting::more) {
        std::this_thread::sleep_for(turn_of_erasures);
    }
    return state;
}

}  // namespace mirror::storage

#include "storage/stream_schema.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "storage/row_columns.hpp"
#include "storage/sql.hpp"

namespace mirror::storage {
namespace {

// Every row has its ID, the fields of its stream, what did not fit them, and three times in UTC
// seconds: first stored, last changed, and (NULL as long as the API shows the row) not there any
// more when its window was last read whole. `timestamp` is the API's own text, local to the
// account.
constexpr std::string_view row_table = R"(
CREATE TABLE IF NOT EXISTS {0} (
    id          INTEGER PRIMARY KEY,
{1}    extra       TEXT,
    first_seen  INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    removed_at  INTEGER
);)";

// The first is always there: windows, counts and most questions go by time. The other indexes
// follow the configuration (index_catalogue.hpp). The second is nearly always empty; with it, the
// rows that the API still shows are counted in two indexes, without a look at any row.
constexpr std::string_view row_indexes = R"(
CREATE INDEX IF NOT EXISTS {0}_timestamp ON {0} (timestamp);
CREATE INDEX IF NOT EXISTS {0}_removed ON {0} (timestamp) WHERE removed_at IS NOT NULL;
)";

// Texts that repeat without end, each entry once. Unique with NULLs, too: no text equals the
// number 0.
constexpr std::string_view dictionary_table = R"(
CREATE TABLE IF NOT EXISTS {0} (
    id        INTEGER PRIMARY KEY,
{1}
);
CREATE UNIQUE INDEX IF NOT EXISTS {0}_unique ON {0} ({2});
)";

std::string type_of(const RowColumn& column, const Stream& stream) {
    switch (column.source) {
        case RowColumn::Source::timestamp:
            return "TEXT NOT NULL";
        case RowColumn::Source::text:
            return "TEXT";
        case RowColumn::Source::entry:
            return fmt::format("INTEGER REFERENCES {} (id)",
                               stream.dictionaries[column.slot]->table);
        case RowColumn::Source::integer:
            break;
    }
    return "INTEGER";
}

std::string table_sql(const Stream& stream) {
    std::string columns;
    for (const RowColumn& column : row_columns(stream)) {
        columns += fmt::format("    {:<11} {},\n", column.name, type_of(column, stream));
    }
    return fmt::format(row_table, stream.table, columns) + fmt::format(row_indexes, stream.table);
}

std::string dictionary_sql(const Dictionary& dictionary) {
    std::string columns = fmt::format("    {:<9} TEXT", dictionary.first);
    std::string unique = fmt::format("ifnull({}, 0)", dictionary.first);
    if (!dictionary.second.empty()) {
        columns += fmt::format(",\n    {:<9} TEXT", dictionary.second);
        unique += fmt::format(", ifnull({}, 0)", dictionary.second);
    }
    return fmt::format(dictionary_table, dictionary.table, columns, unique);
}

// The view that people query: the fields under their names, dictionaries looked up. By scalar
// subqueries, not by a join: SQLite does not drop an unused LEFT JOIN, so counting and
// grouping would read every row and lose their covering indexes.
std::string stream_view_sql(const Stream& stream) {
    std::string columns;
    for (const Field& field : stream.fields) {
        if (field.kind != FieldKind::dictionary) {
            columns += fmt::format("    {},\n", field.column);
            continue;
        }
        const Dictionary& dictionary = *field.dictionary;
        columns += fmt::format("    (SELECT {0} FROM {1} WHERE {1}.id = {2}.{3}) AS {4},\n",
                               field.second ? dictionary.second : dictionary.first,
                               dictionary.table, stream.table, dictionary.number, field.column);
    }
    return fmt::format(
        "CREATE VIEW {} AS\nSELECT\n    id,\n{}    extra,\n    first_seen,\n    changed_at,\n"
        "    removed_at\nFROM {};\n",
        stream.name, columns, stream.table);
}

// Apart from those of the streams.
constexpr std::array<std::string_view, 8> other_views{
    "covered_periods",  "daily",         "reject_reasons",  "recent_runs",
    "lateness_by_hour", "whole_periods", "mailing_results", "opens"};

std::string events_by_day_sql(const Stream& stream) {
    return fmt::format(
        "    SELECT '{}' AS stream, substr(timestamp, 1, 10) AS day, count(*) AS events,\n"
        "        {} AS destinations\n"
        "    FROM {} WHERE removed_at IS NULL GROUP BY substr(timestamp, 1, 10)",
        stream.name, has_column(stream, "destination") ? "count(DISTINCT destination)" : "NULL",
        stream.table);
}

// A day is complete if a covered period reaches beyond its last second: " 24" sorts behind that,
// and needs no arithmetic of dates, which other engines spell otherwise. One of which a part was
// erased is not.
std::string daily_view_sql() {
    std::string days;
    for (const Stream& stream : streams()) {
        days += (days.empty() ? "" : "\n    UNION ALL\n") + events_by_day_sql(stream);
    }
    return "CREATE VIEW daily AS\nSELECT\n    day,\n    stream,\n    events,\n    destinations,\n"
           "    EXISTS (\n        SELECT 1 FROM coverage\n"
           "        WHERE coverage.stream = days.stream AND age = 0\n"
           "            AND local_begin <= day || ' 00:00:00' AND local_end > day || ' 24'\n"
           "    ) AND NOT EXISTS (\n        SELECT 1 FROM mirror\n"
           "        WHERE mirror.stream = days.stream AND key = 'erased_before'\n"
           "            AND value > day || ' 00:00:00'\n"
           "    ) AS complete\nFROM (\n" +
           days + "\n) AS days;\n";
}

}  // namespace

std::string stream_tables_sql() {
    std::string sql;
    for (const Stream& stream : streams()) {
        for (const Dictionary* const dictionary : stream.dictionaries) {
            sql += dictionary_sql(*dictionary);
        }
        sql += table_sql(stream);
    }
    return sql;
}

std::string drop_views_sql() {
    std::string sql;
    for (const std::string_view view : other_views) {
        sql += fmt::format("DROP VIEW IF EXISTS {};", view);
    }
    for (const Stream& stream : streams()) {
        sql += fmt::format("DROP VIEW IF EXISTS {};", stream.name);
    }
    return sql;
}

std::string views_sql() {
    std::string sql = sql::views + daily_view_sql();
    for (const Stream& stream : streams()) {
        sql += stream_view_sql(stream);
    }
    return sql;
}

std::vector<std::string> schema_names() {
    std::vector<std::string> names(other_views.begin(), other_views.end());
    const auto add = [&names](std::string_view name) { names.emplace_back(name); };
    for (const Stream& stream : streams()) {
        add(stream.name);
        add(stream.table);
        for (const Dictionary* const dictionary : stream.dictionaries) {
            add(dictionary->table);
        }
    }
    return names;
}

}  // namespace mirror::storage

// Rows of every stream in its own tables: every kind of column.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <doctest/doctest.h>

#include "core/record/stream.hpp"
#include "core/time/text.hpp"
#include "storage/comparison.hpp"
#include "storage/dictionary_table.hpp"
#include "storage/id_conflicts.hpp"
#include "storage/removals.hpp"
#include "storage/row_writer.hpp"
#include "storage/sql.hpp"
#include "storage/stream_schema.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;

namespace {

void make_tables(SQLite::Database& database) {
    database.exec(storage::sql::schema);
    database.exec(stream_tables_sql());
    database.exec(views_sql());
}

constexpr std::int64_t rows_at_first = 25;  // a full statement and some single rows

// A value of the field for a row, and how its column shows it.
std::string value_of(const Field& field, std::int64_t number) {
    switch (field.kind) {
        case FieldKind::timestamp:
            return format_local(Zone("Europe/Amsterdam").to_local(noon(number)));
        case FieldKind::integer:
            return std::to_string(100 * number + field.slot);
        case FieldKind::json:
            return "{\"number\":" + std::to_string(number) + "}";
        case FieldKind::text:
        case FieldKind::text_or_number:
        case FieldKind::dictionary:
            break;
    }
    return std::string(field.name) + " " + std::to_string(number);
}

std::optional<std::string_view>& text_of(Row& row, const Field& field) {
    Entry& entry = row.entries[field.slot];
    return field.second ? entry.second : entry.first;
}

void set(copernica::Page& page, Row& row, const Field& field, std::int64_t number) {
    const std::string value = value_of(field, number);
    switch (field.kind) {
        case FieldKind::timestamp:
            row.time = *parse_local(value);
            return;
        case FieldKind::integer:
            row.integers[field.slot] = std::stoll(value);
            return;
        case FieldKind::dictionary:
            text_of(row, field) = page.texts.keep(value);
            return;
        case FieldKind::text:
        case FieldKind::text_or_number:
        case FieldKind::json:
            break;
    }
    row.texts[field.slot] = page.texts.keep(value);
}

void clear(Row& row, const Field& field) {
    if (field.kind == FieldKind::integer) {
        row.integers[field.slot].reset();
    } else if (field.kind == FieldKind::dictionary) {
        text_of(row, field).reset();
    } else {
        row.texts[field.slot].reset();
    }
}

Row filled(copernica::Page& page, const Stream& stream, std::int64_t id) {
    Row row;
    row.id = id;
    for (const Field& field : stream.fields) {
        // Entries repeat.
        set(page, row, field, field.kind == FieldKind::dictionary ? id % 3 : id);
    }
    return row;
}

copernica::Page filled_page(const Stream& stream) {
    copernica::Page page;
    for (std::int64_t id = 1; id <= rows_at_first; ++id) {
        page.rows.push_back(filled(page, stream, id));
    }
    return page;
}

sync::WholeWindow read_whole(copernica::Page page) {
    return std::move(whole(noon_window(0, 60), std::move(page)).front());
}

struct Tables {
    explicit Tables(std::string_view name) : stream(*find_stream(name)) { make_tables(sql); }

    sync::WholeWindow ordinary() const { return read_whole(filled_page(stream)); }

    RowCounts write(const sync::WholeWindow& window) {
        RowCounts counts;
        SQLite::Transaction transaction(sql);
        writer().write(window.records.rows, {zone.span(window.proven), {}}, {1000, 1000}, counts);
        transaction.commit();
        return counts;
    }
    std::string ask(const std::string& query) {
        SQLite::Statement statement(sql, query);
        REQUIRE(statement.executeStep());
        return statement.getColumn(0).isNull() ? "NULL" : statement.getColumn(0).getString();
    }
    std::string column(const Field& field, std::int64_t id) {
        return ask("SELECT " + std::string(field.column) + " FROM " + std::string(stream.name) +
                   " WHERE id = " + std::to_string(id));
    }
    RowWriter& writer() {
        if (!writer_) {
            writer_.emplace(sql.getHandle(), stream);
        }
        return *writer_;
    }

    const Stream& stream;
    Zone zone{"Europe/Amsterdam"};
    SQLite::Database sql{":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};

  private:
    std::optional<RowWriter> writer_;
};

}  // namespace

TEST_CASE("every field of a stream is written to its column, and a change of it is noticed") {
    for (const Stream& stream : streams()) {
        CAPTURE(stream.name);
        Tables file(stream.name);
        CHECK(file.write(file.ordinary()).inserted == rows_at_first);
        CHECK(file.write(file.ordinary()).unchanged == rows_at_first);
        Comparison comparison(file.sql, file.zone, file.stream);
        CHECK(comparison.differences(file.ordinary()).empty());
        for (const Dictionary* const dictionary : file.stream.dictionaries) {
            CHECK(file.ask("SELECT count(*) FROM " + std::string(dictionary->table)) == "3");
        }
        for (const Field& field : file.stream.fields) {
            CAPTURE(field.name);
            for (const bool absent : {false, true}) {
                if (absent && field.kind == FieldKind::timestamp) {
                    continue;
                }
                copernica::Page page = filled_page(file.stream);
                set(page, page.rows[1], field, 59);
                if (absent) {
                    clear(page.rows[1], field);
                }
                const sync::WholeWindow window = read_whole(std::move(page));
                const auto differences = comparison.differences(window);
                REQUIRE(differences.size() == 1);
                CHECK(differences.front().id == 2);
                CHECK(differences.front().kind == sync::RowDifference::Kind::changed);
                const RowCounts counts = file.write(window);
                CHECK(counts.updated == 1);
                CHECK(counts.unchanged == rows_at_first - 1);
                CHECK(file.column(field, 2) == (absent ? "NULL" : value_of(field, 59)));
                CHECK(file.write(file.ordinary()).updated == 1);
            }
        }
    }
}

TEST_CASE("rows of any stream are found missing, marked, and pruned") {
    for (const Stream& stream : streams()) {
        CAPTURE(stream.name);
        Tables file(stream.name);
        file.write(file.ordinary());
        copernica::Page page = filled_page(file.stream);
        page.rows.pop_back();
        const sync::WholeWindow window = read_whole(std::move(page));
        const auto differences = Comparison(file.sql, file.zone, file.stream).differences(window);
        REQUIRE(differences.size() == 1);
        CHECK(differences.front().id == rows_at_first);
        CHECK(differences.front().kind == sync::RowDifference::Kind::gone);

        Removals removals(file.sql, file.zone, file.stream);
        CHECK(removals.may_be_needed(window));
        const Removals::Missing missing = removals.missing(window, {}, std::nullopt);
        CHECK(missing.held == rows_at_first);
        REQUIRE(missing.rows.size() == 1);
        std::vector<std::int64_t> marked;
        removals.mark({missing.rows.front().id}, {2000, 2000}, marked);
        CHECK(marked == std::vector<std::int64_t>{rows_at_first});
        CHECK(removals.missing(window, {}, std::nullopt).rows.empty());
        // It comes back, and goes again.
        CHECK(file.write(file.ordinary()).returned == 1);
        std::vector<std::int64_t> again;
        removals.mark(marked, {3000, 3000}, again);
        CHECK(again == marked);
        const LocalPeriod span = file.zone.span(noon_window(0, 60));
        CHECK(removals.prune(span.begin, span.end) == 1);
        CHECK(removals.rows_before(span.end) == rows_at_first - 1);
    }
}

TEST_CASE(
    "an ID that comes back with another time and another mailing is reported for any stream") {
    Tables file("errors");
    file.write(file.ordinary());
    copernica::Page page = filled_page(file.stream);
    for (const Field& field : file.stream.fields) {
        if (field.name == "mailing" || field.kind == FieldKind::timestamp) {
            set(page, page.rows[4], field, 50);
        }
    }
    const RowCounts counts = file.write(read_whole(std::move(page)));
    REQUIRE(counts.replaced.size() == 1);
    CHECK(counts.replaced.front().id == 5);
    CHECK(counts.replaced.front().mailing == 5000);
    CHECK(counts.replaced.front().mailing_before == 500);
}

TEST_CASE("a record that is not a row is kept as JSON, whatever its stream") {
    const auto record = [](const char* name) {
        Tables file(name);
        copernica::Page page;
        IdConflict conflict;
        conflict.record = filled(page, file.stream, 5);
        conflict.record.extra = R"({"more":1})";
        return IdConflicts(file.sql, file.zone, file.stream).reject_of(conflict).record;
    };
    CHECK(record("errors") ==
          R"({"ID":5,"description":"description 2","destination":501,"errorcode":"errorcode 5",)"
          R"("errortype":"errortype 5","extra":{"more":1},"mailing":500,"profile":502,)"
          R"("status":"status 5","subprofile":503,"timestamp":"2026-03-01 13:00:05"})");
    CHECK(record("abuses") ==
          R"({"ID":5,"destination":501,"extra":{"more":1},"mailing":500,"profile":502,)"
          R"("report":{"number":5},"subprofile":503,"timestamp":"2026-03-01 13:00:05"})");
}

TEST_CASE("a dictionary gives each entry one number, of single texts and of pairs") {
    Tables file("clicks");
    const auto& dictionaries = file.stream.dictionaries;
    const auto single = std::find_if(dictionaries.begin(), dictionaries.end(),
                                     [](const Dictionary* one) { return one->second.empty(); });
    const auto pair = std::find_if(dictionaries.begin(), dictionaries.end(),
                                   [](const Dictionary* one) { return !one->second.empty(); });
    REQUIRE(single != dictionaries.end());
    REQUIRE(pair != dictionaries.end());
    // With room for what is asked for last only, and for all.
    for (const std::size_t memory : {std::size_t{400}, std::size_t{1} << 20}) {
        CAPTURE(memory);
        file.sql.exec("DELETE FROM links; DELETE FROM user_agents");
        DictionaryTable links(file.sql.getHandle(), **single, memory);
        CHECK_FALSE(links.number({}));
        const std::string with_nul("a\0b", 3);
        for (int round = 0; round < 3; ++round) {
            CHECK(links.number({"a", std::nullopt}) == 1);
            CHECK(links.number({"", std::nullopt}) == 2);
            CHECK(links.number({with_nul, std::nullopt}) == 3);
            for (std::int64_t i = 4; i < 20; ++i) {
                CHECK(links.number({std::string(20, static_cast<char>('a' + i)), std::nullopt}) ==
                      i);
            }
        }
        CHECK(file.ask("SELECT count(*) FROM links") == "19");
        // After a rollback.
        file.sql.exec("DELETE FROM links");
        links.forget();
        CHECK(links.number({"z", std::nullopt}) == 1);

        DictionaryTable agents(file.sql.getHandle(), **pair, memory);
        CHECK_FALSE(agents.number({}));
        for (int round = 0; round < 3; ++round) {
            CHECK(agents.number({"a", "b"}) == 1);
            CHECK(agents.number({"a", std::nullopt}) == 2);
            CHECK(agents.number({std::nullopt, "a"}) == 3);
            CHECK(agents.number({"ab", ""}) == 4);
            CHECK(agents.number({"", "ab"}) == 5);
        }
        CHECK(file.ask("SELECT count(*) FROM user_agents") == "5");
    }
}

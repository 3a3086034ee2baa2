#include "storage/erasure_match.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include "core/time/text.hpp"
#include "storage/migrations.hpp"
#include "storage/mirror_database.hpp"
#include "storage/seconds.hpp"
#include "storage/sqlite/errors.hpp"

namespace mirror::storage {
namespace {

using Kind = ErasureRule::Kind;

std::string_view text_of(sqlite3_value* value) {
    const auto* const text = reinterpret_cast<const char*>(sqlite3_value_text(value));
    return text == nullptr
               ? std::string_view()
               : std::string_view(text, static_cast<std::size_t>(sqlite3_value_bytes(value)));
}

// same_address(text, address): also if the two are written in different ways.
void same_address(sqlite3_context* context, int, sqlite3_value** values) {
    const auto address = read_ip_address(text_of(values[0]));
    sqlite3_result_int(context, address && address == read_ip_address(text_of(values[1])) ? 1 : 0);
}

// named_in(object, kind, value): see matches_json().
void named_in(sqlite3_context* context, int, sqlite3_value** values) {
    const auto rule = read_rule(text_of(values[1]), std::string(text_of(values[2])));
    const bool named = rule && matches_json(*rule, std::string(text_of(values[0])));
    sqlite3_result_int(context, named ? 1 : 0);
}

// Which rows match a rule. Values are digits, addresses and times: nothing that needs escaping.
std::string condition(const ErasureRule& rule, const Stream& stream) {
    const std::string value = value_of(rule);
    if (rule.kind == Kind::before) {
        return fmt::format("timestamp < '{}'", value);
    }
    std::string sql =
        fmt::format("extra IS NOT NULL AND named_in(extra, '{}', '{}')", kind_of(rule), value);
    if (has_column(stream, kind_of(rule))) {
        sql += rule.kind == Kind::ip ? fmt::format(" OR same_address(ip, '{}')", value)
                                     : fmt::format(" OR {} = {}", kind_of(rule), value);
    }
    return sql;
}

HeldReject read_reject(SQLite::Statement& query) {
    HeldReject reject;
    reject.row = query.getColumn(0).getInt64();
    if (!query.getColumn(1).isNull()) {
        reject.time = parse_local(query.getColumn(1).getString());
    }
    reject.window = {instant(query.getColumn(2)), instant(query.getColumn(3))};
    reject.record = query.getColumn(4).getString();
    reject.copies = query.getColumn(5).getInt64();
    if (!query.getColumn(6).isNull()) {
        reject.id = query.getColumn(6).getInt64();
    }
    return reject;
}

}  // namespace

void make_matching_functions(SQLite::Database& sql) {
    constexpr int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
    sqlite3_create_function(sql.getHandle(), "same_address", 2, flags, nullptr, same_address,
                            nullptr, nullptr);
    sqlite3_create_function(sql.getHandle(), "named_in", 3, flags, nullptr, named_in, nullptr,
                            nullptr);
}

std::string condition(const std::vector<ErasureRule>& rules, const Stream& stream) {
    std::string sql = "0";
    for (const ErasureRule& rule : rules) {
        sql += " OR " + condition(rule, stream);
    }
    return "(" + sql + ")";
}

std::optional<LocalTime> bound_of(const std::vector<ErasureRule>& rules) {
    std::optional<LocalTime> bound;
    for (const ErasureRule& rule : rules) {
        if (rule.kind == Kind::before) {
            bound = std::max(bound.value_or(rule.before), rule.before);
        }
    }
    return bound;
}

bool older(const HeldReject& reject, std::optional<LocalTime> bound, const Zone& zone) {
    if (!bound) {
        return false;
    }
    return reject.time ? *reject.time < *bound : reject.window.end <= zone.earliest(*bound);
}

// A record that names nobody is erased by its age only.
std::vector<HeldReject> matching_rejects(SQLite::Database& sql, const Zone& zone,
                                         const Stream& stream,
                                         const std::vector<ErasureRule>& rules) {
    const std::optional<LocalTime> bound = bound_of(rules);
    std::vector<HeldReject> found;
    SQLite::Statement query(sql, R"(
        SELECT rowid, timestamp, "begin", "end", record, copies, id FROM rejects
        WHERE stream = ?)");
    query.bind(1, std::string(stream.name));
    while (query.executeStep()) {
        HeldReject reject = read_reject(query);
        const bool named = std::any_of(rules.begin(), rules.end(), [&](const ErasureRule& rule) {
            return matches_json(rule, reject.record);
        });
        if (named || older(reject, bound, zone)) {
            found.push_back(std::move(reject));
        }
    }
    return found;
}

std::vector<ErasedOfStream> count_erasure(const std::filesystem::path& file, const Zone& zone,
                                          const ErasureRequest& request) {
    SQLite::Database sql = open_mirror_read_only(file, default_busy_timeout);
    try {
        if (sql.execAndGet("PRAGMA user_version").getInt() < schema_version) {
            throw DatabaseError(DatabaseErrorKind::foreign,
                                "database " + file.string() +
                                    ": made by an older version of this program, which any command "
                                    "that writes brings up to date; run `sync` first");
        }
        make_matching_functions(sql);
        const SQLite::Transaction snapshot(sql);
        std::vector<ErasedOfStream> all;
        for (const Stream* const stream : request.streams) {
            SQLite::Statement rows(sql,
                                   fmt::format("SELECT count(*) FROM {} WHERE {}", stream->table,
                                               condition(request.rules, *stream)));
            rows.executeStep();
            all.push_back({stream, static_cast<std::uint64_t>(rows.getColumn(0).getInt64()),
                           matching_rejects(sql, zone, *stream, request.rules).size()});
        }
        return all;
    } catch (const SQLite::Exception& error) {
        throw explain(error, system_error_of(sql.getHandle()), file);
    }
}

}  // namespace mirror::storage

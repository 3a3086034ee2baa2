#include "storage/eraser.hpp"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>

#include "core/sync/metadata.hpp"
#include "core/time/text.hpp"
#include "storage/erased_records.hpp"
#include "storage/erasure_match.hpp"
#include "storage/metadata.hpp"
#include "storage/run_log.hpp"
#include "storage/seconds.hpp"
#include "storage/sqlite/transaction.hpp"
#include "storage/turns.hpp"
#include "storage/unused_entries.hpp"

namespace mirror::storage {
namespace {

using Kind = ErasureRule::Kind;

void change_fact(Facts facts, const char* key, std::uint64_t less) {
    if (less > 0) {
        facts.set(key, facts.number(key) - static_cast<std::int64_t>(less));
    }
}

std::string outcome_of(const ErasedOfStream& erased) {
    return fmt::format("erased {} rows, {} rejects", erased.rows, erased.rejects);
}

}  // namespace

// What is to be done in one stream.
struct Eraser::Work {
    const Stream* stream;
    std::vector<ErasureRule> rules;
};

void Eraser::begin(const ErasureRequest& request) {
    database_.guarded([&] {
        WriteTransaction transaction(database_);
        SQLite::Database& sql = database_.sql();
        SQLite::Statement insert(sql,
                                 "INSERT OR IGNORE INTO erasures (stream, kind, value) "
                                 "VALUES (?, ?, ?)");
        for (const Stream* const stream : request.streams) {
            for (const ErasureRule& rule : request.rules) {
                insert.bind(1, std::string(stream->name));
                insert.bind(2, std::string(kind_of(rule)));
                insert.bind(3, value_of(rule));
                insert.exec();
                insert.reset();
            }
            const auto known = erased_before(sql, *stream);
            const auto bound = bound_of(request.rules);
            if (bound && (!known || *known < *bound)) {
                Facts(sql, *stream).set(sync::metadata::erased_before, format_local(*bound));
            }
        }
        Facts(sql).set(fact_key::erased_bytes_left, 1);
        transaction.commit();
    });
}

bool Eraser::unfinished() {
    return database_.guarded(
        [&] { return database_.sql().execAndGet("SELECT count(*) FROM erasures").getInt64() > 0; });
}

std::vector<ErasedOfStream> Eraser::finish(Instant started, const std::function<Instant()>& now,
                                           Entries entries) {
    return database_.guarded([&] {
        make_matching_functions(database_.sql());
        std::vector<Work> all;
        std::vector<ErasedOfStream> results;
        for (const Stream& stream : streams()) {
            Work work{&stream, unfinished_rules(database_.sql(), stream)};
            if (work.rules.empty()) {
                continue;
            }
            ErasedOfStream erased{&stream, 0, 0};
            erase_older_rows(work, erased);
            erase_rows(work, erased);
            erase_rejects(work, erased);
            forget_before_bound(work);
            all.push_back(std::move(work));
            results.push_back(erased);
        }
        if (entries == Entries::erased) {
            UnusedEntries entries_of_erased(database_);
            entries_of_erased.offer_all();
            entries_of_erased.erase();
        }
        settle(all, results, started, now());
        return results;
    });
}

// By time, with the help of its index. The bound is all that is remembered of these.
void Eraser::erase_older_rows(const Work& work, ErasedOfStream& erased) {
    const std::optional<LocalTime> bound = bound_of(work.rules);
    if (!bound) {
        return;
    }
    for (;;) {
        std::vector<std::int64_t> ids;
        {
            SQLite::Statement query(database_.sql(),
                                    fmt::format("SELECT id FROM {} WHERE timestamp < ? "
                                                "ORDER BY timestamp LIMIT {}",
                                                work.stream->table, deleted_at_once));
            query.bind(1, format_local(*bound));
            while (query.executeStep()) {
                ids.push_back(query.getColumn(0).getInt64());
            }
        }
        if (ids.empty()) {
            return;
        }
        const std::uint64_t deleted = delete_rows(work, ids);
        erased.rows += deleted;
        if (deleted == 0) {
            return;  // a trigger keeps them
        }
        std::this_thread::sleep_for(pause_for_others);
    }
}

// In the order of IDs; nothing that matches is stored behind the place that was reached.
void Eraser::erase_rows(const Work& work, ErasedOfStream& erased) {
    if (std::all_of(work.rules.begin(), work.rules.end(),
                    [](const ErasureRule& rule) { return rule.kind == Kind::before; })) {
        return;
    }
    const std::string table(work.stream->table);
    SQLite::Statement end(database_.sql(), fmt::format("SELECT id FROM {} WHERE id > ? ORDER BY id "
                                                       "LIMIT 1 OFFSET {}",
                                                       table, rows_a_look));
    SQLite::Statement matching(
        database_.sql(), fmt::format("SELECT id FROM {} WHERE id > ? AND id <= ? AND {}", table,
                                     condition(work.rules, *work.stream)));
    std::int64_t reached = 0;
    for (bool more = true; more;) {
        end.bind(1, reached);
        more = end.executeStep();
        const std::int64_t last = more ? end.getColumn(0).getInt64() : INT64_MAX;
        end.reset();
        std::vector<std::int64_t> ids;
        matching.bind(1, reached);
        matching.bind(2, last);
        while (matching.executeStep()) {
            ids.push_back(matching.getColumn(0).getInt64());
        }
        matching.reset();
        for (std::size_t i = 0; i < ids.size(); i += deleted_at_once) {
            const auto first = ids.begin() + static_cast<std::ptrdiff_t>(i);
            const auto count = std::min(deleted_at_once, ids.size() - i);
            erased.rows += delete_rows(work, {first, first + static_cast<std::ptrdiff_t>(count)});
            std::this_thread::sleep_for(pause_for_others);
        }
        reached = last;
    }
}

// Those that still match, in one transaction with what is remembered of them.
std::uint64_t Eraser::delete_rows(const Work& work, const std::vector<std::int64_t>& ids) {
    const Stream& stream = *work.stream;
    SQLite::Database& sql = database_.sql();
    const std::string table(stream.table);
    const std::optional<LocalTime> bound = bound_of(work.rules);

    WriteTransaction transaction(database_);
    ErasedRecords memory(sql, zone_, stream);
    SQLite::Statement held(
        sql, fmt::format("SELECT timestamp, removed_at FROM {} WHERE id = ? AND {}", table,
                         condition(work.rules, stream)));
    SQLite::Statement remove(sql, fmt::format("DELETE FROM {} WHERE id = ?", table));
    std::uint64_t rows = 0;
    std::uint64_t removed_rows = 0;
    for (const std::int64_t id : ids) {
        held.bind(1, id);
        if (held.executeStep()) {
            const auto time = parse_local(held.getColumn(0).getString());
            const bool removed = !held.getColumn(1).isNull();
            if (time && (!bound || *time >= *bound)) {
                const auto gone_at =
                    removed ? std::optional(held.getColumn(1).getInt64()) : std::nullopt;
                memory.remember({id, *time}, 1, gone_at);
            }
            held.reset();
            remove.bind(1, id);
            const bool deleted = remove.exec() > 0;
            remove.reset();
            rows += deleted ? 1 : 0;
            removed_rows += deleted && removed ? 1 : 0;
        } else {
            held.reset();
        }
    }
    change_fact(Facts(sql, stream), fact_key::rows, rows);
    change_fact(Facts(sql, stream), fact_key::removed, removed_rows);
    transaction.commit();
    return rows;
}

void Eraser::erase_rejects(const Work& work, ErasedOfStream& erased) {
    const Stream& stream = *work.stream;
    SQLite::Database& sql = database_.sql();
    const std::optional<LocalTime> bound = bound_of(work.rules);
    const std::vector<HeldReject> found = matching_rejects(sql, zone_, stream, work.rules);
    for (std::size_t i = 0; i < found.size(); i += deleted_at_once) {
        WriteTransaction transaction(database_);
        ErasedRecords memory(sql, zone_, stream);
        SQLite::Statement remove(sql, "DELETE FROM rejects WHERE rowid = ? AND record = ?");
        std::uint64_t rejects = 0;
        const std::size_t end = std::min(i + deleted_at_once, found.size());
        for (std::size_t j = i; j < end; ++j) {
            const HeldReject& reject = found[j];
            remove.bind(1, reject.row);
            remove.bind(2, reject.record);
            if (remove.exec() > 0) {
                ++rejects;
                if (!older(reject, bound, zone_)) {
                    memory.remember(key_of_reject(stream, reject.id, reject.time, reject.record,
                                                  zone_.to_local(reject.window.begin)),
                                    reject.copies, std::nullopt);
                }
            }
            remove.reset();
        }
        change_fact(Facts(sql, stream), fact_key::rejects, rejects);
        transaction.commit();
        erased.rejects += rejects;
    }
}

// What is older than the bound needs no memory of its own.
void Eraser::forget_before_bound(const Work& work) {
    const std::optional<LocalTime> bound = bound_of(work.rules);
    while (bound) {
        WriteTransaction transaction(database_);
        SQLite::Statement remove(
            database_.sql(),
            fmt::format("DELETE FROM erased WHERE rowid IN (SELECT rowid FROM erased "
                        "WHERE stream = ? AND timestamp < ? LIMIT {})",
                        deleted_at_once));
        remove.bind(1, std::string(work.stream->name));
        remove.bind(2, format_local(*bound));
        const bool any = remove.exec() > 0;
        transaction.commit();
        if (!any) {
            return;
        }
        std::this_thread::sleep_for(pause_for_others);
    }
}

// Others may have begun more meanwhile: only what was done here is over.
void Eraser::settle(const std::vector<Work>& all, const std::vector<ErasedOfStream>& erased,
                    Instant started, Instant now) {
    WriteTransaction transaction(database_);
    SQLite::Statement done(database_.sql(),
                           "DELETE FROM erasures WHERE stream = ? AND kind = ? AND value = ?");
    for (const Work& work : all) {
        for (const ErasureRule& rule : work.rules) {
            done.bind(1, std::string(work.stream->name));
            done.bind(2, std::string(kind_of(rule)));
            done.bind(3, value_of(rule));
            done.exec();
            done.reset();
        }
    }
    for (const ErasedOfStream& of : erased) {
        sync::RunRecord run;
        run.kind = "erase";
        run.period = {started, now};
        run.started = started;
        run.ended = now;
        run.outcome = outcome_of(of);
        RunLog(database_.sql(), *of.stream).write(std::nullopt, run, now);
    }
    transaction.commit();
}

bool Eraser::bytes_left() {
    return database_.guarded(
        [&] { return Facts(database_.sql()).number(fact_key::erased_bytes_left) != 0; });
}

bool Eraser::clean(std::chrono::milliseconds patience) {
    if (!bytes_left()) {
        return true;
    }
    if (!database_.empty_log_and_free_space(patience)) {
        return false;
    }
    database_.guarded([&] {
        WriteTransaction transaction(database_);
        Facts(database_.sql()).set(fact_key::erased_bytes_left, 0);
        transaction.commit();
    });
    return true;
}

namespace {

// Rows that one portion takes at the most: some seconds.
constexpr std::int64_t rows_a_portion = 100'000;

// Where a portion ends.
LocalTime end_of_portion(SQLite::Database& sql, const Stream& stream, LocalTime before) {
    const std::string select =
        fmt::format("SELECT timestamp FROM {} ORDER BY timestamp LIMIT 1", stream.table);
    SQLite::Statement first(sql, select);
    SQLite::Statement last(sql, select + fmt::format(" OFFSET {}", rows_a_portion));
    if (!first.executeStep() || !last.executeStep()) {
        return before;
    }
    const auto begin = parse_local(first.getColumn(0).getString());
    const auto end = parse_local(last.getColumn(0).getString());
    return begin && end && *begin < *end ? std::min(*end, before) : before;
}

}  // namespace

sync::ErasedPortion erase_older_portion(const MirrorOptions& options, const Stream& stream,
                                        LocalTime before, Instant now) {
    sync::ErasedPortion portion;
    Database database = open_mirror(options, now);
    EraseLock only_one(database.path());
    if (!only_one.take(options.busy_timeout)) {
        return portion;  // the next round finds the rest
    }
    ErasureRule rule;
    rule.kind = Kind::before;
    rule.before = database.guarded([&] { return end_of_portion(database.sql(), stream, before); });
    ErasureRequest request;
    request.streams = {&stream};
    request.rules = {rule};
    Eraser eraser(database, options.zone);
    eraser.begin(request);
    portion.more = rule.before < before;
    // To see which entries no row uses takes a pass over the file: once is enough.
    const auto entries = portion.more ? Eraser::Entries::left : Eraser::Entries::erased;
    for (const ErasedOfStream& erased : eraser.finish(
             now, [now] { return now; }, entries)) {
        portion.records += erased.stream == &stream ? erased.rows + erased.rejects : 0;
    }
    if (!portion.more) {
        eraser.clean(options.busy_timeout);  // if a reader is in the way: the next time
    }
    return portion;
}

std::vector<ErasedOfStream> finish_erasure(Database& database, const Zone& zone,
                                           const std::function<Instant()>& now) {
    Eraser eraser(database, zone);
    if (!eraser.unfinished() && !eraser.bytes_left()) {
        return {};
    }
    EraseLock only_one(database.path());
    if (!only_one.take(std::chrono::milliseconds(0))) {
        return {};
    }
    std::vector<ErasedOfStream> erased = eraser.finish(now(), now);
    eraser.clean(std::chrono::milliseconds(0));  // now, or when the file is opened again
    return erased;
}

}  // namespace mirror::storage

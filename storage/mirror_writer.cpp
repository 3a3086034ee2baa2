#include "storage/mirror_writer.hpp"

#include <algorithm>
#include <utility>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>

#include "core/plan/gap_join.hpp"
#include "core/sync/horizon_facts.hpp"
#include "storage/errors.hpp"
#include "storage/kept_data.hpp"
#include "storage/local_months.hpp"
#include "storage/open_judge.hpp"
#include "storage/seconds.hpp"
#include "storage/sqlite/transaction.hpp"

namespace mirror::storage {
namespace {

std::string named(const std::string& id, const std::string& name) {
    return name.empty() ? "account " + id : "account " + id + " (" + name + ")";
}

}  // namespace

MirrorWriter::MirrorWriter(Database& database, const MirrorOptions& options,
                           LogTruncation& truncation, const Stream& stream)
    : database_(database),
      options_(options),
      stream_(stream),
      facts_(database_.sql(), stream),
      file_facts_(database_.sql()),
      erased_(database_.sql(), options_.zone, stream),
      rows_(database_.guarded([&] { return RowWriter(database_.sql().getHandle(), stream); })),
      rejects_(database_.sql(), options_.zone, stream),
      removals_(database_.sql(), options_.zone, stream),
      pruning_(database_.sql(), options_.zone, stream),
      conflicts_(database_.sql(), options_.zone, stream),
      lateness_(database_.sql(), stream),
      coverage_(database_.sql(), options_.zone, stream),
      comparison_(database_.sql(), options_.zone, stream),
      runs_(database_.sql(), stream),
      requests_(database_.sql()),
      truncation_(truncation) {}

sync::Written MirrorWriter::commit(std::vector<sync::WholeWindow>& windows, Instant server_now,
                                   const Moment& now) {
    sync::Written written;
    try {
        written = database_.guarded([&] { return write(windows, server_now, now.utc); });
    } catch (...) {
        rows_.forget();
        removals_.forget();
        throw;
    }
    truncation_.try_when_due(now.monotonic);
    return written;
}

// Rows before coverage, both in one transaction: the file never claims what it does not hold.
sync::Written MirrorWriter::write(std::vector<sync::WholeWindow>& windows, Instant server_now,
                                  Instant now) {
    WriteTransaction transaction(database_);
    refuse_other_privacy(database_.sql(), database_.path(), options_.privacy);
    Counters counters = load_counters();
    const WriteTimes times = times_at(now, counters);
    sync::Written written;
    erased_.load();
    forget_erased_entries();
    for (sync::WholeWindow& whole : windows) {
        // First, so that nothing below sees what was erased.
        erased_.take_out(whole, now);
        write_window(whole, server_now, now, times, written, counters);
    }
    if (written.inserted + written.updated + written.removed + written.unmarked > 0) {
        counters.last_change = times.changed_at;
    }
    store_counters(counters);
    note_server_clock(server_now - now);
    transaction.commit();
    return written;
}

void MirrorWriter::write_window(const sync::WholeWindow& whole, Instant server_now, Instant now,
                                const WriteTimes& times, sync::Written& written,
                                Counters& counters) {
    const WindowSet covered_before = coverage_.within(0, whole.window);
    const bool rows_may_be_gone = removals_.may_be_needed(whole);
    std::vector<LocalTime> inserted;
    RowCounts rows;
    rows.inserted_at = covered_before.empty() ? nullptr : &inserted;
    const RowRule rule = conflicts_.rule_of(whole);
    rows_.write(whole.records.rows, rule, times, rows);
    keep_entries_in_use();
    written.inserted += rows.inserted;
    written.updated += rows.updated;
    written.unchanged += rows.unchanged;
    written.replaced.insert(written.replaced.end(), rows.replaced.begin(), rows.replaced.end());
    counters.rows += static_cast<std::int64_t>(rows.inserted);
    counters.removed -= static_cast<std::int64_t>(rows.returned);
    note_late_rows(inserted, covered_before, server_now);

    RemovalGuard::Result removals;
    if (rows_may_be_gone) {
        const auto expired_before =
            std::max(whole.expired_before, plan::first_shown(horizon(), server_now));
        removals = removals_.apply(whole, rows.conflicts, expired_before, times, now);
    } else {
        removals_.settle(whole.proven);
    }
    written.removed += removals.marked.size();
    written.unmarked += removals.unmarked;
    written.doubted += removals.doubted;
    counters.removed += static_cast<std::int64_t>(removals.marked.size());
    counters.removed -= static_cast<std::int64_t>(removals.unmarked);

    coverage_.forget_later_reads(touched_by(whole.window), whole.read_at);
    coverage_.add(0, whole.proven);
    for (const plan::AgedWindow& aged : whole.aged) {
        coverage_.add(aged.age.count(), aged.window);
    }
    std::vector<LocalTime> again;
    const std::vector<Reject> rejects =
        rejects_of(whole, rows.conflicts, rule.proven, written, again);
    written.rejected += rejects.size();
    counters.rejects += rejects_.replace(whole.window, rejects, now);
    // A record that another one kept from being a row can be the row now.
    for (const LocalTime time : conflicts_.kept_with(removals.marked)) {
        again.push_back(time);
    }
    read_again(std::move(again), whole.proven, written);
}

// The records that cannot be rows, with those whose ID is another row's. The first time that such a
// one is met, the row is read again unless it was now: it may only have moved here.
std::vector<Reject> MirrorWriter::rejects_of(const sync::WholeWindow& whole,
                                             const std::vector<IdConflict>& conflicts,
                                             const LocalPeriod& proven, sync::Written& written,
                                             std::vector<LocalTime>& again) {
    std::vector<Reject> rejects = whole.records.rejects;
    for (const IdConflict& conflict : conflicts) {
        rejects.push_back(conflicts_.reject_of(conflict));
        if (conflicts_.known(rejects.back())) {
            continue;
        }
        written.repeated_ids.push_back(conflict.record.id);
        if (conflict.row_time < proven.begin || conflict.row_time >= proven.end) {
            again.push_back(conflict.row_time);
        }
    }
    return rejects;
}

void MirrorWriter::read_again(std::vector<LocalTime> times, const Window& just_read,
                              sync::Written& written) {
    if (times.empty()) {
        return;
    }
    std::sort(times.begin(), times.end());
    WindowSet seconds;
    for (const LocalTime time : times) {
        seconds.add(conflicts_.seconds_of(time));
    }
    WindowSet again = joined(seconds);
    again.subtract(just_read);
    again.add(seconds);
    for (const Window& window : again.windows()) {
        written.read_again.add(coverage_.within(0, window));
    }
    coverage_.subtract(again);
}

// If the IDs of all records come back as others, nearly every second is to be read again: whole
// periods then, not thousands of seconds, each of which would be a gap and a request.
WindowSet MirrorWriter::joined(WindowSet gaps) {
    WindowSet little;
    const WindowSet all_between = plan::between_many(gaps);
    for (const Window& between : all_between.windows()) {
        const LocalPeriod span = options_.zone.span(between);
        if (!comparison_.nth_record(span.begin, span.end, plan::records_of_a_request)) {
            little.add(between);
        }
    }
    gaps.add(little);
    return gaps;
}

// Numbers that are remembered may be those of entries that another process has deleted.
void MirrorWriter::forget_erased_entries() {
    const std::int64_t erased = file_facts_.number(fact_key::entries_erased);
    if (erased != entries_erased_) {
        rows_.forget();
        entries_erased_ = erased;
    }
}

// An erasure may be about to delete some of them.
void MirrorWriter::keep_entries_in_use() {
    if (stream_.dictionaries.empty() ||
        database_.sql().execAndGet("SELECT count(*) FROM erased_entries").getInt64() == 0) {
        return;
    }
    SQLite::Statement keep(database_.sql(),
                           "DELETE FROM erased_entries WHERE dictionary = ? AND id = ?");
    for (std::size_t slot = 0; slot < stream_.dictionaries.size(); ++slot) {
        for (const std::int64_t number : rows_.entries_of_last(slot)) {
            keep.bind(1, std::string(stream_.dictionaries[slot]->table));
            keep.bind(2, number);
            keep.exec();
            keep.reset();
        }
    }
}

// Where the rows of a window's replies lie: some at the bounds' own seconds, and around the hour
// that occurs twice up to an hour further.
Window MirrorWriter::touched_by(const Window& window) const {
    const Window around{window.begin - Seconds(1), window.end + Seconds(1)};
    if (!options_.zone.touches_repeated_hour(around)) {
        return around;
    }
    return {around.begin - repeated_hour, around.end + repeated_hour};
}

// A row that came into a period that had been whole is late; one of a period that had not is
// merely old.
void MirrorWriter::note_late_rows(const std::vector<LocalTime>& inserted,
                                  const WindowSet& covered_before, Instant server_now) {
    for (const LocalTime time : inserted) {
        const Instant at = options_.zone.latest(time);
        if (covered_before.contains({at, at + Seconds(1)})) {
            lateness_.add(server_now - at);
        }
    }
}

plan::Horizon MirrorWriter::horizon() const {
    return sync::read_horizon([this](const char* key) { return facts_.get(key); });
}

MirrorWriter::Counters MirrorWriter::load_counters() const {
    return {facts_.number(fact_key::rows), facts_.number(fact_key::removed),
            facts_.number(fact_key::rejects), facts_.number(fact_key::last_change)};
}

void MirrorWriter::store_counters(const Counters& counters) {
    facts_.set(fact_key::rows, counters.rows);
    facts_.set(fact_key::removed, counters.removed);
    facts_.set(fact_key::rejects, counters.rejects);
    facts_.set(fact_key::last_change, counters.last_change);
}

WriteTimes MirrorWriter::times_at(Instant now, const Counters& counters) {
    return {seconds(now), std::max(seconds(now), counters.last_change)};
}

// A second more or less is how two clocks with whole seconds disagree when nothing is wrong: not
// worth a page in every idle poll.
void MirrorWriter::note_server_clock(Seconds offset) {
    const std::optional<std::string> known = file_facts_.get(fact_key::server_clock_offset);
    const Seconds stored(file_facts_.number(fact_key::server_clock_offset));
    if (!known || offset > stored + Seconds(1) || offset < stored - Seconds(1)) {
        file_facts_.set(fact_key::server_clock_offset, offset.count());
    }
}

void MirrorWriter::uncover(const WindowSet& windows) {
    database_.guarded([&] {
        WriteTransaction transaction(database_);
        coverage_.subtract(windows);
        transaction.commit();
    });
}

std::uint64_t MirrorWriter::settle_expired(LocalTime begin, Instant removed_since, Instant now) {
    return database_.guarded([&] {
        WriteTransaction transaction(database_);
        Counters counters = load_counters();
        const WriteTimes times = times_at(now, counters);
        const std::uint64_t kept = pruning_.unmark_expired(begin, seconds(removed_since), times);
        if (kept > 0) {
            counters.removed -= static_cast<std::int64_t>(kept);
            counters.last_change = times.changed_at;
            store_counters(counters);
        }
        // What is expired is not missing.
        removals_.settle({Instant{}, options_.zone.earliest(begin)});
        const std::uint64_t rows = pruning_.rows_before(begin);
        transaction.commit();
        return rows;
    });
}

std::uint64_t MirrorWriter::prune_before(LocalTime begin) {
    return database_.guarded([&] {
        WriteTransaction transaction(database_);
        Counters counters = load_counters();
        const Removals::Pruned pruned = pruning_.prune_before(begin);
        counters.rows -= static_cast<std::int64_t>(pruned.rows);
        counters.removed -= static_cast<std::int64_t>(pruned.removed);
        store_counters(counters);
        transaction.commit();
        return pruned.rows;
    });
}

std::uint64_t MirrorWriter::prune(LocalTime begin, LocalTime end) {
    return database_.guarded([&] {
        WriteTransaction transaction(database_);
        Counters counters = load_counters();
        const std::uint64_t pruned = pruning_.prune(begin, end);
        counters.rows -= static_cast<std::int64_t>(pruned);
        counters.removed -= static_cast<std::int64_t>(pruned);
        store_counters(counters);
        transaction.commit();
        return pruned;
    });
}

void MirrorWriter::recount() {
    database_.guarded([&] {
        WriteTransaction transaction(database_);
        const auto counted = [&](const std::string& query) {
            SQLite::Statement count(database_.sql(), query);
            if (count.getBindParameterCount() > 0) {
                count.bind(1, std::string(stream_.name));
            }
            count.executeStep();
            return count.getColumn(0).getInt64();
        };
        const std::string rows = "SELECT count(*) FROM " + std::string(stream_.table);
        Counters counters = load_counters();
        counters.rows = counted(rows);
        counters.removed = counted(rows + " WHERE removed_at IS NOT NULL");
        counters.rejects = counted("SELECT count(*) FROM rejects WHERE stream = ?");
        store_counters(counters);
        transaction.commit();
    });
}

void MirrorWriter::record_run(const sync::RunRecord& run, Instant now) {
    database_.guarded([&] {
        WriteTransaction transaction(database_);
        const std::int64_t id = runs_.write(run_, run, now);
        transaction.commit();
        run_ = id;
    });
}

void MirrorWriter::claim_account(const std::string& id, const std::string& name, Instant now) {
    database_.guarded([&] {
        WriteTransaction transaction(database_);
        const std::optional<std::string> owner = file_facts_.get(fact_key::account_id);
        if (owner && *owner != id) {
            throw OtherAccount("database " + database_.path().string() + " belongs to " +
                               named(*owner, file_facts_.get(fact_key::account_name).value_or("")) +
                               ", but the token to " + named(id, name) +
                               "; use that account's token, or name another file");
        }
        file_facts_.set(fact_key::account_id, id);
        file_facts_.set(fact_key::account_name, name);
        file_facts_.set(fact_key::api_url, options_.api_url);
        file_facts_.set(fact_key::program_version, options_.program_version);
        const auto own = options_.stream_indexes.find(std::string(stream_.name));
        match_indexes(database_.sql(), stream_,
                      own == options_.stream_indexes.end() ? options_.indexes : own->second);
        match_local_months(database_.sql(), options_.zone);
        match_open_rules(database_.sql(), options_.open_rules);
        match_privacy(database_.sql(), database_.path(), options_.privacy,
                      options_.may_change_privacy, now);
        transaction.commit();
    });
}

sync::RequestsToday MirrorWriter::spend_requests(Instant now, std::int64_t wanted,
                                                 std::uint64_t limit) {
    return database_.guarded([&] {
        WriteTransaction transaction(database_);
        const sync::RequestsToday today = requests_.spend(now, wanted, limit);
        transaction.commit();
        return today;
    });
}

void MirrorWriter::set_fact(const std::string& key, const std::string& value) {
    set_facts({{key, value}});
}

void MirrorWriter::set_facts(const std::map<std::string, std::string>& facts) {
    database_.guarded([&] {
        const auto known = [&](const auto& fact) { return facts_.get(fact.first) == fact.second; };
        if (std::all_of(facts.begin(), facts.end(), known)) {
            return;
        }
        WriteTransaction transaction(database_);
        for (const auto& [key, value] : facts) {
            facts_.set(key, value);
        }
        transaction.commit();
    });
}

}  // namespace mirror::storage

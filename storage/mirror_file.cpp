#include "storage/mirror_file.hpp"

#include <algorithm>
#include <utility>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>

#include "core/time/text.hpp"
#include "storage/seconds.hpp"

namespace mirror::storage {
namespace {

// Passive checkpoints keep the log at some 4 MB unless a reader holds them up.
constexpr std::uintmax_t large_log = std::uintmax_t{64} << 20;
// Between attempts to empty a large log; each may hold up the rows for a moment.
constexpr std::chrono::seconds first_truncation_pause{1};
constexpr std::chrono::seconds longest_truncation_pause{300};

DatabaseOptions database_options(const MirrorOptions& options) {
    DatabaseOptions database;
    database.path = options.path;
    database.time_zone = options.zone.name();
    database.indexes = options.indexes;
    database.busy_timeout = options.busy_timeout;
    database.progressing = options.progressing;
    return database;
}

std::string named(const std::string& id, const std::string& name) {
    return name.empty() ? "account " + id : "account " + id + " (" + name + ")";
}

}  // namespace

MirrorFile::MirrorFile(MirrorOptions options, Instant now)
    : options_(std::move(options)),
      database_(database_options(options_), now),
      facts_(database_.sql()),
      rows_(database_.guarded(
          [this] { return RowWriter(database_.sql().getHandle(), streams().front()); })),
      rejects_(database_.sql(), options_.zone),
      removals_(database_.sql(), options_.zone, streams().front()),
      lateness_(database_.sql()),
      comparison_(database_.sql(), options_.zone, streams().front()),
      coverage_(database_.sql(), options_.zone),
      runs_(database_.sql()),
      truncation_pause_(first_truncation_pause) {}

WindowSet MirrorFile::coverage(std::int64_t age) {
    return database_.guarded([&] { return coverage_.load(age); });
}

sync::Written MirrorFile::commit(const std::vector<sync::WholeWindow>& windows, Instant server_now,
                                 const Moment& now) {
    sync::Written written;
    try {
        written = database_.guarded([&] { return write(windows, server_now, now.utc); });
    } catch (...) {
        rows_.forget();
        throw;
    }
    keep_log_small(now.monotonic);
    return written;
}

// Rows before coverage, both in one transaction: the file never claims what it does not hold.
sync::Written MirrorFile::write(const std::vector<sync::WholeWindow>& windows, Instant server_now,
                                Instant now) {
    WriteTransaction transaction(database_);
    Counters counters = load_counters();
    const WriteTimes times{seconds(now), std::max(seconds(now), counters.last_change)};
    RowCounts rows;
    sync::Written written;
    for (const sync::WholeWindow& whole : windows) {
        const WindowSet covered_before = coverage_.load(0).within(whole.window);
        const bool rows_may_be_gone = removals_.may_be_needed(whole);
        std::vector<LocalTime> inserted;
        rows.inserted_at = covered_before.empty() ? nullptr : &inserted;
        rows_.write(whole.records.rows, times, rows);
        written.rejected += whole.records.rejects.size();
        note_late_rows(inserted, covered_before, server_now);
        const std::uint64_t removed = rows_may_be_gone ? removals_.mark(whole, times) : 0;
        written.removed += removed;
        counters.removed += static_cast<std::int64_t>(removed);
        counters.rejects += rejects_.replace(whole.window, whole.records.rejects, now);
        coverage_.forget_later_reads(touched_by(whole.window), whole.read_at);
        coverage_.add(0, whole.proven);
        for (const plan::AgedWindow& aged : whole.aged) {
            coverage_.add(aged.age.count(), aged.window);
        }
    }
    written.inserted = rows.inserted;
    written.updated = rows.updated;
    written.unchanged = rows.unchanged;
    counters.rows += static_cast<std::int64_t>(rows.inserted);
    counters.removed -= static_cast<std::int64_t>(rows.returned);
    if (rows.inserted + rows.updated + written.removed > 0) {
        counters.last_change = times.changed_at;
    }
    store_counters(counters);
    note_server_clock(server_now - now);
    transaction.commit();
    return written;
}

// Where the rows of a window's replies lie: some at the bounds' own seconds, and around the hour
// that occurs twice up to an hour further.
Window MirrorFile::touched_by(const Window& window) const {
    const Window around{window.begin - Seconds(1), window.end + Seconds(1)};
    if (!options_.zone.touches_repeated_hour(around)) {
        return around;
    }
    return {around.begin - std::chrono::hours(1), around.end + std::chrono::hours(1)};
}

// A row that came into a period that had been whole is late; one of a period that had not is
// merely old.
void MirrorFile::note_late_rows(const std::vector<LocalTime>& inserted,
                                const WindowSet& covered_before, Instant server_now) {
    for (const LocalTime time : inserted) {
        const Instant at = options_.zone.latest(time);
        if (covered_before.contains({at, at + Seconds(1)})) {
            lateness_.add(server_now - at);
        }
    }
}

MirrorFile::Counters MirrorFile::load_counters() const {
    return {facts_.number(fact_key::rows), facts_.number(fact_key::removed),
            facts_.number(fact_key::rejects), facts_.number(fact_key::last_change)};
}

void MirrorFile::store_counters(const Counters& counters) {
    facts_.set(fact_key::rows, counters.rows);
    facts_.set(fact_key::removed, counters.removed);
    facts_.set(fact_key::rejects, counters.rejects);
    facts_.set(fact_key::last_change, counters.last_change);
}

// A second more or less is how two clocks with whole seconds disagree when nothing is wrong: not
// worth a page in every idle poll.
void MirrorFile::note_server_clock(Seconds offset) {
    const std::optional<std::string> known = facts_.get(fact_key::server_clock_offset);
    const Seconds stored(facts_.number(fact_key::server_clock_offset));
    if (!known || offset > stored + Seconds(1) || offset < stored - Seconds(1)) {
        facts_.set(fact_key::server_clock_offset, offset.count());
    }
}

void MirrorFile::keep_log_small(Monotonic now) {
    if (now < next_truncation_) {
        return;
    }
    if (database_.truncate_log(large_log) == Database::Checkpoint::busy) {
        next_truncation_ = now + truncation_pause_;
        truncation_pause_ = std::min(truncation_pause_ * 2, longest_truncation_pause);
    } else {
        truncation_pause_ = first_truncation_pause;
    }
}

void MirrorFile::uncover(const WindowSet& windows) {
    database_.guarded([&] {
        WriteTransaction transaction(database_);
        coverage_.subtract(windows);
        transaction.commit();
    });
}

std::vector<sync::RowDifference> MirrorFile::compare(
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

std::optional<LocalTime> MirrorFile::row_free_second(LocalTime begin, LocalTime end,
                                                     sync::RowFreeNear near) {
    return database_.guarded([&] { return comparison_.row_free_second(begin, end, near); });
}

std::uint64_t MirrorFile::prune(LocalTime begin, LocalTime end) {
    return database_.guarded([&] {
        WriteTransaction transaction(database_);
        Counters counters = load_counters();
        const std::uint64_t pruned = removals_.prune(begin, end);
        counters.rows -= static_cast<std::int64_t>(pruned);
        counters.removed -= static_cast<std::int64_t>(pruned);
        store_counters(counters);
        transaction.commit();
        return pruned;
    });
}

std::uint64_t MirrorFile::count(LocalTime begin, LocalTime end) {
    return database_.guarded([&] {
        // Index ranges; no row is looked at. A reject without a time counts where its window
        // begins.
        SQLite::Statement query(database_.sql(), R"(
            SELECT (SELECT count(*) FROM impression_rows WHERE timestamp BETWEEN ?1 AND ?2)
                 - (SELECT count(*) FROM impression_rows
                    WHERE timestamp BETWEEN ?1 AND ?2 AND removed_at IS NOT NULL)
                 + (SELECT ifnull(sum(copies), 0) FROM rejects
                    WHERE timestamp BETWEEN ?1 AND ?2)
                 + (SELECT ifnull(sum(copies), 0) FROM rejects
                    WHERE timestamp IS NULL AND "begin" BETWEEN ?3 AND ?4))");
        query.bind(1, format_local(begin));
        query.bind(2, format_local(end));
        query.bind(3, seconds(options_.zone.earliest(begin)));
        query.bind(4, seconds(options_.zone.latest(end)));
        query.executeStep();
        return static_cast<std::uint64_t>(query.getColumn(0).getInt64());
    });
}

void MirrorFile::recount() {
    database_.guarded([&] {
        WriteTransaction transaction(database_);
        const auto counted = [&](const char* query) {
            SQLite::Statement count(database_.sql(), query);
            count.executeStep();
            return count.getColumn(0).getInt64();
        };
        Counters counters = load_counters();
        counters.rows = counted("SELECT count(*) FROM impression_rows");
        counters.removed =
            counted("SELECT count(*) FROM impression_rows WHERE removed_at IS NOT NULL");
        counters.rejects = counted("SELECT count(*) FROM rejects");
        store_counters(counters);
        transaction.commit();
    });
}

std::optional<sync::NewestRows> MirrorFile::newest_rows(LocalTime before) {
    return database_.guarded([&]() -> std::optional<sync::NewestRows> {
        SQLite::Statement newest(database_.sql(), R"(
            SELECT timestamp FROM impression_rows
            WHERE timestamp < ? AND removed_at IS NULL ORDER BY timestamp DESC LIMIT 1)");
        newest.bind(1, format_local(before));
        if (!newest.executeStep()) {
            return std::nullopt;
        }
        const std::string text = newest.getColumn(0).getString();
        const std::optional<LocalTime> time = parse_local(text);
        if (!time) {
            throw DatabaseError(DatabaseErrorKind::damaged,
                                "database " + path().string() + ": a row has the timestamp \"" +
                                    text + "\", which this program never writes");
        }
        SQLite::Statement rows(database_.sql(),
                               "SELECT count(*) FROM impression_rows "
                               "WHERE timestamp = ? AND removed_at IS NULL");
        rows.bind(1, text);
        rows.executeStep();
        sync::NewestRows found;
        found.time = *time;
        found.rows = static_cast<std::uint64_t>(rows.getColumn(0).getInt64());
        return found;
    });
}

void MirrorFile::record_run(const sync::RunRecord& run, Instant now) {
    database_.guarded([&] {
        WriteTransaction transaction(database_);
        const std::int64_t id = runs_.write(run_, run, now);
        transaction.commit();
        run_ = id;
    });
}

void MirrorFile::claim_account(const std::string& id, const std::string& name) {
    database_.guarded([&] {
        WriteTransaction transaction(database_);
        const std::optional<std::string> owner = facts_.get(fact_key::account_id);
        if (owner && *owner != id) {
            throw OtherAccount("database " + path().string() + " belongs to " +
                               named(*owner, facts_.get(fact_key::account_name).value_or("")) +
                               ", but the token to " + named(id, name) +
                               "; use that account's token, or name another file");
        }
        facts_.set(fact_key::account_id, id);
        facts_.set(fact_key::account_name, name);
        facts_.set(fact_key::api_url, options_.api_url);
        facts_.set(fact_key::program_version, options_.program_version);
        database_.match_indexes();
        transaction.commit();
    });
}

std::optional<std::string> MirrorFile::fact(const std::string& key) {
    return database_.guarded([&] { return facts_.get(key); });
}

void MirrorFile::set_fact(const std::string& key, const std::string& value) {
    set_facts({{key, value}});
}

void MirrorFile::set_facts(const std::map<std::string, std::string>& facts) {
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

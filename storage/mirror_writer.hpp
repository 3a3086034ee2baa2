// What changes one stream of the mirror in its file: each write of sync::Store, done at once on the
// calling thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/plan/horizon.hpp"
#include "core/sync/store.hpp"
#include "core/time/clock.hpp"
#include "storage/comparison.hpp"
#include "storage/coverage_ledger.hpp"
#include "storage/erased_records.hpp"
#include "storage/id_conflicts.hpp"
#include "storage/lateness.hpp"
#include "storage/metadata.hpp"
#include "storage/mirror_database.hpp"
#include "storage/reject_writer.hpp"
#include "storage/removal_guard.hpp"
#include "storage/removals.hpp"
#include "storage/request_log.hpp"
#include "storage/row_writer.hpp"
#include "storage/run_log.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/log_truncation.hpp"

namespace mirror::storage {

/// Our clocks at one moment.
struct Moment {
    Instant utc{};
    Monotonic monotonic{};
};

/// Not safe for two threads at once; which thread does not matter. Every call throws
/// DatabaseError and leaves the file as it was then. All arguments must outlive it.
class MirrorWriter {
  public:
    MirrorWriter(Database& database, const MirrorOptions& options, LogTruncation& truncation,
                 const Stream& stream);

    /// Takes out of the windows what was erased. Throws OtherPrivacy.
    sync::Written commit(std::vector<sync::WholeWindow>& windows, Instant server_now,
                         const Moment& now);
    sync::Written commit(std::vector<sync::WholeWindow>&& windows, Instant server_now,
                         const Moment& now) {
        return commit(windows, server_now, now);
    }
    void uncover(const WindowSet& windows);
    std::uint64_t settle_expired(LocalTime begin, Instant removed_since, Instant now);
    std::uint64_t prune_before(LocalTime begin);
    std::uint64_t prune(LocalTime begin, LocalTime end);
    void recount();
    void record_run(const sync::RunRecord& run, Instant now);
    /// Also brings facts, indexes, rules of opens, the table of months and what is kept of
    /// addresses and user agents in line with the options: only now it is sure that the file is
    /// meant. Throws OtherAccount, OtherPrivacy.
    void claim_account(const std::string& id, const std::string& name, Instant now);
    sync::RequestsToday spend_requests(Instant now, std::int64_t wanted, std::uint64_t limit);
    void set_fact(const std::string& key, const std::string& value);
    /// In one transaction; writes nothing if all of them have these values already.
    void set_facts(const std::map<std::string, std::string>& facts);

  private:
    /// The facts that count what the stream has.
    struct Counters {
        std::int64_t rows;
        std::int64_t removed;
        std::int64_t rejects;
        std::int64_t last_change;
    };

    void write_window(const sync::WholeWindow& whole, Instant server_now, Instant now,
                      const WriteTimes& times, sync::Written& written, Counters& counters);
    std::vector<Reject> rejects_of(const sync::WholeWindow& whole,
                                   const std::vector<IdConflict>& conflicts,
                                   const LocalPeriod& proven, sync::Written& written,
                                   std::vector<LocalTime>& again);
    void read_again(std::vector<LocalTime> times, const Window& just_read, sync::Written& written);
    WindowSet joined(WindowSet gaps);
    sync::Written write(std::vector<sync::WholeWindow>& windows, Instant server_now, Instant now);
    void note_late_rows(const std::vector<LocalTime>& inserted, const WindowSet& covered_before,
                        Instant server_now);
    void forget_erased_entries();
    void keep_entries_in_use();
    Window touched_by(const Window& window) const;
    plan::Horizon horizon() const;
    Counters load_counters() const;
    void store_counters(const Counters& counters);
    static WriteTimes times_at(Instant now, const Counters& counters);
    void note_server_clock(Seconds offset);

    Database& database_;
    const MirrorOptions& options_;
    const Stream& stream_;
    Facts facts_;
    Facts file_facts_;
    ErasedRecords erased_;
    std::int64_t entries_erased_ = 0;  // when rows_ began to remember entries
    RowWriter rows_;
    RejectWriter rejects_;
    RemovalGuard removals_;
    Removals pruning_;
    IdConflicts conflicts_;
    LatenessLedger lateness_;
    CoverageLedger coverage_;
    Comparison comparison_;
    RunLog runs_;
    RequestLog requests_;
    std::optional<std::int64_t> run_;  // this process's row in `runs`
    LogTruncation& truncation_;
};

}  // namespace mirror::storage

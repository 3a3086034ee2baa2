// The mirror in its file: every operation of sync::Store, done at once on the calling thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/sync/store.hpp"
#include "core/time/clock.hpp"
#include "core/time/zone.hpp"
#include "storage/comparison.hpp"
#include "storage/coverage_ledger.hpp"
#include "storage/database.hpp"
#include "storage/lateness.hpp"
#include "storage/metadata.hpp"
#include "storage/reject_writer.hpp"
#include "storage/removals.hpp"
#include "storage/row_writer.hpp"
#include "storage/run_log.hpp"

namespace mirror::storage {

/// What a mirror needs to know to open its file.
struct MirrorOptions {
    std::filesystem::path path;
    Zone zone;  ///< the account's; a file keeps the one it was made with
    /// Optional indexes, by column: mailing, destination, profile, changed_at.
    std::set<std::string> indexes{"mailing"};
    std::string api_url{};          ///< kept as a fact; never with a token in it
    std::string program_version{};  ///< kept as a fact
    /// How long to wait for another writer before giving up.
    std::chrono::milliseconds busy_timeout{10'000};
    /// Called on the working thread again and again while a statement makes progress; must be
    /// quick.
    std::function<void()> progressing{};
};

/// Our clocks at one moment.
struct Moment {
    Instant utc{};
    Monotonic monotonic{};
};

/// Not safe for two threads at once; which thread does not matter. Every call throws
/// DatabaseError and leaves the file as it was then.
class MirrorFile {
  public:
    /// Opens or creates. Throws DatabaseError, OtherZone, std::invalid_argument.
    MirrorFile(MirrorOptions options, Instant now);

    WindowSet coverage(std::int64_t age);
    sync::Written commit(const std::vector<sync::WholeWindow>& windows, Instant server_now,
                         const Moment& now);
    void uncover(const WindowSet& windows);
    std::vector<sync::RowDifference> compare(const std::vector<sync::WholeWindow>& windows);
    std::optional<LocalTime> row_free_second(LocalTime begin, LocalTime end,
                                             sync::RowFreeNear near);
    std::uint64_t prune(LocalTime begin, LocalTime end);
    std::uint64_t count(LocalTime begin, LocalTime end);
    void recount();
    std::optional<sync::NewestRows> newest_rows(LocalTime before);
    void record_run(const sync::RunRecord& run, Instant now);
    /// Also brings facts and indexes in line with the options: only now it is sure that the file
    /// is meant. Throws OtherAccount.
    void claim_account(const std::string& id, const std::string& name);
    std::optional<std::string> fact(const std::string& key);
    void set_fact(const std::string& key, const std::string& value);
    /// In one transaction, or in none where all of them are so already.
    void set_facts(const std::map<std::string, std::string>& facts);

    const std::filesystem::path& path() const { return database_.path(); }

  private:
    /// The facts that count what the file holds.
    struct Counters {
        std::int64_t rows;
        std::int64_t removed;
        std::int64_t rejects;
        std::int64_t last_change;
    };

    sync::Written write(const std::vector<sync::WholeWindow>& windows, Instant server_now,
                        Instant now);
    void note_late_rows(const std::vector<LocalTime>& inserted, const WindowSet& covered_before,
                        Instant server_now);
    Window touched_by(const Window& window) const;
    Counters load_counters() const;
    void store_counters(const Counters& counters);
    void note_server_clock(Seconds offset);
    void keep_log_small(Monotonic now);

    MirrorOptions options_;
    Database database_;
    Facts facts_;
    RowWriter rows_;
    RejectWriter rejects_;
    Removals removals_;
    LatenessLedger lateness_;
    Comparison comparison_;
    CoverageLedger coverage_;
    RunLog runs_;
    std::optional<std::int64_t> run_;  // this process's row in `runs`
    Monotonic next_truncation_{};
    std::chrono::seconds truncation_pause_;
};

}  // namespace mirror::storage

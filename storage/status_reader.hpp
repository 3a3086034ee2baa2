// What the file says about itself, for `status` and for metrics; no format, no judgement.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/record/stream.hpp"
#include "core/time/window.hpp"
#include "storage/doubt_ledger.hpp"
#include "storage/kept_data.hpp"
#include "storage/lateness.hpp"
#include "storage/run_log.hpp"

namespace mirror::storage {

/// Of one stream; empty if it was never mirrored.
struct StreamStatus {
    const Stream* stream = nullptr;
    WindowSet coverage;         ///< of age 0
    std::uint64_t rows = 0;     ///< all that are stored, removed ones too
    std::uint64_t removed = 0;  ///< of these, those that the API does not show any more
    std::uint64_t rejects = 0;
    bool erasing = false;                      ///< an erasure is not finished
    std::optional<RewriteState> rewriting;     ///< absent if all rows have what is kept
    std::vector<Doubt> doubts;                 ///< periods in which a mass of rows was missing
    std::map<std::string, std::string> facts;  ///< the stream's in the table `mirror`
    std::optional<LatenessSummary> lateness;   ///< absent if no row ever came late
    std::vector<StoredRun> runs;               ///< newest first
};

/// One snapshot of a mirror.
struct FileStatus {
    struct Account {
        std::string id;
        std::string name;
    };

    std::optional<Account> account;  ///< absent until the first run that reached the API
    std::string time_zone;           ///< IANA name
    KeptData kept;                   ///< of addresses and user agents
    bool erased_bytes_left = false;  ///< in the log or in free space
    /// The server's clock less ours when it was last seen; absent before the first reply.
    std::optional<Seconds> server_clock_offset;
    std::map<std::string, std::uint64_t> requests;  ///< by UTC day, "YYYY-MM-DD"
    std::vector<StreamStatus> streams;              ///< all that there are, in their order
    std::uint64_t database_bytes = 0;
    std::uint64_t wal_bytes = 0;

    const StreamStatus& of(const Stream& stream) const;
};

struct StatusOptions {
    std::filesystem::path path;
    std::size_t runs = 20;  ///< of each stream, at the most
    std::chrono::milliseconds busy_timeout{5'000};
};

/// Reads everything in one snapshot. Creates nothing, takes no lock of ours, needs no permission
/// to write; works while others write and after they were killed. Throws DatabaseError.
FileStatus read_status(const StatusOptions& options);

}  // namespace mirror::storage

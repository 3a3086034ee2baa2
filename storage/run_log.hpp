// The table `runs`: what each run of the program was asked, did and left undone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/record/stream.hpp"
#include "core/sync/store.hpp"

namespace SQLite {
class Database;
}

namespace mirror::storage {

/// A run as the file has it.
struct StoredRun {
    std::int64_t id = 0;
    sync::RunRecord run;
};

/// Writes this process's run of one stream, and reads those of all processes. Every call throws
/// SQLite::Exception.
class RunLog {
  public:
    /// How long a run is kept after it was last heard of.
    static constexpr Seconds retention = std::chrono::hours(24) * 90;

    RunLog(SQLite::Database& sql, const Stream& stream) : sql_(sql), stream_(stream.name) {}

    /// The row `id`, new if there is none or `id` is absent; then runs that are too old go, but
    /// never this one. Returns the row's id. Inside a write transaction.
    std::int64_t write(std::optional<std::int64_t> id, const sync::RunRecord& run, Instant now);

    /// Newest first.
    std::vector<StoredRun> latest(std::size_t most) const;

  private:
    SQLite::Database& sql_;
    std::string stream_;
};

}  // namespace mirror::storage

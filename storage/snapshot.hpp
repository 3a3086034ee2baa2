// A copy of the file as it is at one moment.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>

namespace mirror::storage {

struct SnapshotProgress {
    std::uint64_t bytes_done = 0;
    std::uint64_t bytes = 0;
};

struct SnapshotOptions {
    std::filesystem::path source;
    /// Replaced as a whole, or not at all. If there is such a file, it must be empty or an older
    /// copy of a mirror that nobody uses.
    std::filesystem::path target;
    std::chrono::milliseconds busy_timeout{10'000};
    /// Called now and then; false ends the copy, without a trace.
    std::function<bool(const SnapshotProgress&)> go_on;
};

/// Copies what is committed at the moment of the call, also while others write: they do not wait,
/// but the log cannot shrink meanwhile. The copy is one file that needs no `-wal` beside it, with
/// mode 0640. Returns its size in bytes, or 0 if `go_on` ended it. Throws DatabaseError.
std::uint64_t take_snapshot(const SnapshotOptions& options);

}  // namespace mirror::storage

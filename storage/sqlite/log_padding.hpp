// Keeps the write-ahead log in a state that whoever may only read can open, whatever kills us.
#pragma once

#include <filesystem>

namespace mirror::storage {

/// Makes the log of `database` longer than its header, if it is empty. To be called under the
/// write lock, before anything is written to it.
///
/// Why: the first thing that SQLite writes to a log is its header, 32 bytes, then the first frame.
/// Killed in between it leaves a log of nothing but a header. A writer takes that for an empty one;
/// a reader who may not write to FILE-shm builds an index of its own from the log, never gets a
/// header into it from so short a file, finds that the log's salts are not the index's, and tries
/// for ten seconds before it says "locking protocol" (walIndexRecover() and
/// walBeginShmUnreliable() of SQLite 3.40.1; a log of 33 bytes is read). Zeros are neither header
/// nor frame, so what is appended here is never taken for either.
///
/// If it fails, the log stays as it is, and nothing is reported.
void pad_empty_log(const std::filesystem::path& database) noexcept;

}  // namespace mirror::storage

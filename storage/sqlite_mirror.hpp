// The mirror's file and the thread of SQLite, which the stores of all streams share.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>

#include "core/record/stream.hpp"
#include "core/time/clock.hpp"
#include "storage/awaitable_calls.hpp"
#include "storage/mirror_file.hpp"
#include "storage/sqlite/activity.hpp"
#include "storage/sqlite_store.hpp"

namespace mirror::storage {

/// The event loop never waits for the disk: the calls of its stores are carried out by an executor,
/// one after the other. Destroy it before the io_context of its callers; the destructor waits for
/// calls at hand, then closes the file.
class SqliteMirror {
  public:
    /// Opens or creates the file, on the calling thread; if that takes long (a migration, an
    /// index), `opening` is called now and then meanwhile. Throws DatabaseError, OtherZone, and
    /// std::invalid_argument for an index that does not exist.
    SqliteMirror(MirrorOptions options, Clock& clock, std::function<void()> opening = {});

    /// As above, with another executor than a thread of its own.
    SqliteMirror(MirrorOptions options, Clock& clock, std::unique_ptr<CallExecutor> executor,
                 std::function<void()> opening = {});

    /// The same one each time.
    SqliteStore& store(const Stream& stream);

    const std::filesystem::path& path() const { return file_.path(); }

    /// From any thread.
    Activity activity() const;

  private:
    MirrorOptions watched(MirrorOptions options);

    Clock& clock_;
    std::atomic<std::uint64_t> steps_{0};
    std::function<void()> opening_;  // empty once the file is open
    MirrorFile file_;
    std::map<const Stream*, SqliteStore> stores_;
    AwaitableCalls calls_;  // goes first: calls at hand use the others
    /// What takes seconds and is done through another connection; absent: by calls_.
    std::unique_ptr<AwaitableCalls> slow_calls_;
};

}  // namespace mirror::storage

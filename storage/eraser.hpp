// Deletes records of people, and sees that a re-read does not bring them back.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/record/stream.hpp"
#include "core/sync/store.hpp"
#include "core/time/instant.hpp"
#include "core/time/zone.hpp"
#include "storage/erasure_match.hpp"
#include "storage/erasure_rule.hpp"
#include "storage/mirror_database.hpp"
#include "storage/sqlite/database.hpp"

namespace mirror::storage {

/// Works in short transactions beside other writers. What is to be erased by stands in the file
/// until all is done (the table `erasures`), and nothing that matches is stored meanwhile. So one
/// pass over the rows is enough, and after a kill any other process can finish it: all steps may be
/// repeated. Every call throws DatabaseError.
class Eraser {
  public:
    Eraser(Database& database, const Zone& zone) : database_(database), zone_(zone) {}

    /// From here on the erasure is certain to be done. One transaction.
    void begin(const ErasureRequest& request);

    /// Whether an erasure is not finished.
    bool unfinished();

    /// What becomes of entries of dictionaries that no row uses any more.
    enum class Entries {
        erased,
        left,  ///< to a later erasure
    };

    /// Finishes all that was begun. Each stream that had something unfinished is in the result, and
    /// gets a run of the kind "erase".
    std::vector<ErasedOfStream> finish(Instant started, const std::function<Instant()>& now,
                                       Entries entries = Entries::erased);

    /// Whether bytes of what was erased may still be in the log or in free space.
    bool bytes_left();

    /// Empties the log, and overwrites what is free in the file, if anything was erased since this
    /// was last done. False if a reader was in the way for so long: bytes of what was erased may
    /// still be there.
    bool clean(std::chrono::milliseconds patience);

  private:
    struct Work;

    void erase_rows(const Work& work, ErasedOfStream& erased);
    void erase_older_rows(const Work& work, ErasedOfStream& erased);
    std::uint64_t delete_rows(const Work& work, const std::vector<std::int64_t>& ids);
    void erase_rejects(const Work& work, ErasedOfStream& erased);
    void forget_before_bound(const Work& work);
    void settle(const std::vector<Work>& all, const std::vector<ErasedOfStream>& erased,
                Instant started, Instant now);

    Database& database_;
    const Zone& zone_;
};

/// Erases a portion of what is older in a stream, through a connection of its own, and waits for
/// other erasures no longer than other writes are waited for. Throws DatabaseError.
sync::ErasedPortion erase_older_portion(const MirrorOptions& options, const Stream& stream,
                                        LocalTime before, Instant now);

/// Finishes what another process has begun and could not finish, unless one is at work on it.
std::vector<ErasedOfStream> finish_erasure(Database& database, const Zone& zone,
                                           const std::function<Instant()>& now);

}  // namespace mirror::storage

// The mirror in its file, open for writing.
#pragma once

#include <filesystem>
#include <map>
#include <utility>
#include <vector>

#include "core/record/stream.hpp"
#include "storage/eraser.hpp"
#include "storage/mirror_database.hpp"
#include "storage/mirror_reader.hpp"
#include "storage/mirror_writer.hpp"
#include "storage/sqlite/log_truncation.hpp"

namespace mirror::storage {

/// One connection, and what reads and writes each stream through it. Not safe for two threads at
/// once.
class MirrorFile {
  public:
    /// Opens or creates. Throws DatabaseError, OtherZone, std::invalid_argument.
    MirrorFile(MirrorOptions options, Instant now)
        : options_(std::move(options)),
          database_(open_mirror(options_, now)),
          truncation_(database_) {
        finished_ = finish_erasure(database_, options_.zone, [now] { return now; });
    }

    /// Made at first use, which throws DatabaseError.
    MirrorReader& reader(const Stream& stream) { return access(stream).reader; }
    MirrorWriter& writer(const Stream& stream) { return access(stream).writer; }
    /// What was left of an erasure that another process had begun, and was finished when the file
    /// was opened.
    const std::vector<ErasedOfStream>& finished_erasure() const { return finished_; }
    /// Made anew at each call.
    Eraser eraser() { return Eraser(database_, options_.zone); }
    const MirrorOptions& options() const { return options_; }
    const std::filesystem::path& path() const { return database_.path(); }

  private:
    struct Access {
        Access(Database& database, const MirrorOptions& options, LogTruncation& truncation,
               const Stream& stream)
            : reader(database, options.zone, stream),
              writer(database, options, truncation, stream) {}

        MirrorReader reader;
        MirrorWriter writer;
    };

    Access& access(const Stream& stream) {
        return streams_.try_emplace(&stream, database_, options_, truncation_, stream)
            .first->second;
    }

    MirrorOptions options_;
    Database database_;
    LogTruncation truncation_;
    std::vector<ErasedOfStream> finished_;
    std::map<const Stream*, Access> streams_;
};

}  // namespace mirror::storage

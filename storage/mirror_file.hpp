// The mirror in its file, open for writing.
#pragma once

#include <filesystem>
#include <utility>

#include "storage/mirror_database.hpp"
#include "storage/mirror_reader.hpp"
#include "storage/mirror_writer.hpp"

namespace mirror::storage {

/// One connection, and what reads and writes through it. Not safe for two threads at once.
class MirrorFile {
  public:
    /// Opens or creates. Throws DatabaseError, OtherZone, std::invalid_argument.
    MirrorFile(MirrorOptions options, Instant now)
        : options_(std::move(options)),
          database_(open_mirror(options_, now)),
          reader_(database_, options_.zone),
          writer_(database_, options_) {}

    MirrorReader& reader() { return reader_; }
    MirrorWriter& writer() { return writer_; }
    const std::filesystem::path& path() const { return database_.path(); }

  private:
    MirrorOptions options_;
    Database database_;
    MirrorReader reader_;
    MirrorWriter writer_;
};

}  // namespace mirror::storage

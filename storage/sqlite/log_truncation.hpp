// Keeps the write-ahead log from staying large.
#pragma once

#include <chrono>

#include "core/time/clock.hpp"
#include "storage/sqlite/database.hpp"

namespace mirror::storage {

/// Passive checkpoints keep the log at some 4 MB unless a reader holds them up. A log that has
/// grown is emptied when nobody is in the way; while somebody is, the attempts become rarer.
class LogTruncation {
  public:
    explicit LogTruncation(Database& database) : database_(database) {}

    /// After a transaction. An attempt may hold up the caller for a tenth of a second.
    void try_when_due(Monotonic now);

  private:
    static constexpr std::chrono::seconds first_pause{1};

    Database& database_;
    Monotonic due_{};
    std::chrono::seconds pause_ = first_pause;
};

}  // namespace mirror::storage

// Keeps the write-ahead log from staying large.
#pragma once

#include <chrono>
#include <functional>
#include <utility>

#include "core/time/clock.hpp"
#include "storage/sqlite/database.hpp"

namespace mirror::storage {

/// Passive checkpoints keep the log at some 4 MB unless a reader holds them up. A log that has
/// grown is emptied when nobody is in the way; while somebody is, the attempts become rarer.
class LogTruncation {
  public:
    using Attempt = std::function<Database::Checkpoint()>;

    /// Empties the log of the database if it has grown large.
    explicit LogTruncation(Database& database);

    /// Any other attempt.
    explicit LogTruncation(Attempt attempt) : attempt_(std::move(attempt)) {}

    /// After a transaction. An attempt may hold up the caller for a tenth of a second.
    void try_when_due(Monotonic now);

  private:
    static constexpr std::chrono::seconds first_pause{1};

    Attempt attempt_;
    Monotonic due_{};
    std::chrono::seconds pause_ = first_pause;
};

}  // namespace mirror::storage

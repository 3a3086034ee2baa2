// How late rows come: into periods that were covered already.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/record/stream.hpp"
#include "core/time/instant.hpp"

namespace SQLite {
class Database;
}

namespace mirror::storage {

/// What the file has measured of it.
struct LatenessSummary {
    std::uint64_t rows = 0;
    Seconds median{};
    Seconds percentile_99{};
    Seconds largest{};
};

/// The lateness as it is kept: exact up to two minutes, two significant digits beyond, so that the
/// table stays small. Never less than what it stands for.
Seconds kept_lateness(Seconds lateness);

/// The table `lateness`, of one stream. Throws SQLite::Exception; add() belongs inside a write
/// transaction.
class LatenessLedger {
  public:
    LatenessLedger(SQLite::Database& sql, const Stream& stream) : sql_(sql), stream_(stream.name) {}

    void add(Seconds lateness);

    /// Nothing if no row ever came late.
    std::optional<LatenessSummary> summary() const;

  private:
    SQLite::Database& sql_;
    std::string stream_;
};

}  // namespace mirror::storage

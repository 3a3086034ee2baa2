// What the file holds of a period, held against what the API shows of it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/record/stream.hpp"
#include "core/sync/store.hpp"
#include "core/time/zone.hpp"

namespace SQLite {
class Database;
}

namespace mirror::storage {

/// Reads only. Throws SQLite::Exception.
class Comparison {
  public:
    Comparison(SQLite::Database& sql, const Zone& zone, const Stream& stream)
        : sql_(sql), zone_(zone), stream_(stream) {}

    /// Record by record, over the proven part of the window.
    std::vector<sync::RowDifference> differences(const sync::WholeWindow& whole);

    /// See sync::Store::nth_record().
    std::optional<LocalTime> nth_record(LocalTime begin, LocalTime end, std::uint64_t n);

    /// See sync::Store::row_free_second().
    std::optional<LocalTime> row_free_second(LocalTime begin, LocalTime end,
                                             sync::RowFreeNear near);

    /// See sync::Store::middle_row().
    std::optional<LocalTime> middle_row(LocalTime begin, LocalTime end);

  private:
    bool is_kept_reject(std::int64_t id, LocalTime time);
    std::optional<LocalTime> quiet_after(LocalTime from, LocalTime end);
    std::optional<LocalTime> quiet_before(LocalTime from, LocalTime begin);

    SQLite::Database& sql_;
    const Zone& zone_;
    const Stream& stream_;
};

}  // namespace mirror::storage

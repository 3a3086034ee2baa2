// Records that cannot be rows, into the table `rejects`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/record/row.hpp"
#include "core/record/stream.hpp"
#include "core/time/window.hpp"
#include "core/time/zone.hpp"

namespace SQLite {
class Database;
}

namespace mirror::storage {

/// What a whole read of a window returns replaces that window's rejects, of one stream.
class RejectWriter {
  public:
    RejectWriter(SQLite::Database& sql, const Zone& zone, const Stream& stream)
        : sql_(sql), zone_(zone), stream_(stream.name) {}

    /// Stores the rejects, equal ones as one with their number, and deletes those that belong to
    /// the window and did not come again; those that came again keep their received_at. A reject
    /// belongs to the window when its timestamp can be read and lies in the window's span, or
    /// cannot be read and the period where it may be lies inside this window. That period is the
    /// window it was received with, less what was read since without it. Returns by how many the
    /// table grew. Inside a write transaction; throws SQLite::Exception.
    std::int64_t replace(const Window& window, std::span<const Reject> rejects, Instant now);

  private:
    struct Placed {
        std::int64_t row;
        Window within;
    };

    std::int64_t leave(const Window& window, const Placed& reject);
    /// Rejects by their record, with how often it came.
    using Copies = std::unordered_map<std::string_view, std::int64_t>;

    std::int64_t store(const Window& window, const Reject& reject, std::int64_t copies,
                       Instant now);
    std::int64_t remove_others(const Window& window, const Copies& copies);

    SQLite::Database& sql_;
    const Zone& zone_;
    std::string stream_;
};

}  // namespace mirror::storage

// How a mirror is doing. Pure: from what the file says and a clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/time/window.hpp"
#include "daemon/status/request_counts.hpp"
#include "storage/status_reader.hpp"

namespace mirror::daemon {

struct Gap {
    Window window;
    std::optional<std::string> reason;  ///< why the last run could not fill it; absent: not tried
};

/// Of one stream, and of the file.
struct Status {
    const Stream* stream = nullptr;
    bool followed = true;  ///< it is configured; false: it was once, and its rows are kept
    std::optional<storage::FileStatus::Account> account;
    std::string time_zone;
    /// The newest unbroken covered period; absent before the first window.
    std::optional<Window> complete;
    std::optional<Seconds> lag;          ///< of its end behind the server's clock
    std::optional<Instant> wanted_from;  ///< where the mirror is to begin; absent before a run
    std::vector<Gap> gaps;  ///< not covered, between the wanted begin and the newest end
    std::uint64_t rows = 0;
    std::uint64_t rejects = 0;
    std::uint64_t removed = 0;
    std::vector<storage::Doubt> doubts;  ///< periods in which a mass of rows was missing
    std::optional<Instant> last_success;
    std::optional<Instant> last_error_at;
    std::optional<std::string> last_error;  ///< what is wrong; absent: nothing
    std::optional<Instant> failing_since;   ///< since when
    std::optional<storage::LatenessSummary> lateness;
    std::optional<Instant> last_audit_at;
    std::optional<std::string> last_audit;  ///< for people: what it found
    /// Requests a second that the API takes, if that is less than configured.
    std::optional<std::string> request_rate;
    /// The version of the API, and below which path the stream is there: "ms", "draganddrop".
    std::optional<unsigned> api_version;
    std::optional<std::string> api_paths;
    std::optional<Instant> horizon;  ///< the API shows nothing before it any more
    std::uint64_t rows_before_horizon = 0;
    struct Sweep {
        Instant began{};
        Instant position{};  ///< what is older has been read again since
    };
    std::optional<Sweep> sweep;
    std::optional<LocalTime> erased_before;  ///< what is older was erased
    std::optional<Seconds> keep;             ///< how long rows are kept; nothing: for ever
    bool erasing = false;                    ///< an erasure is not finished
    bool erased_bytes_left = false;          ///< in the log or in free space of the file
    storage::KeptData kept;                  ///< of addresses and user agents, in the whole file
    /// So many rows have what is kept, and others may have more; nothing: all of them have it.
    std::optional<std::uint64_t> rewritten;
    std::chrono::hours zone_behind{0};  ///< the account's zone seems to be so far behind
    /// Whether file and API agreed after the last audit; absent if an older version made it.
    std::optional<bool> audit_agrees;
    std::optional<std::string> count_difference;  ///< for people; absent if counts agreed
    /// The API's count less the file's; absent as above, or if an older version compared them.
    std::optional<std::int64_t> rows_missing;
    RequestCounts requests;
    std::uint64_t database_bytes = 0;
    std::uint64_t wal_bytes = 0;
};

/// `now` is this machine's clock, UTC.
Status assess(const storage::FileStatus& file, const Stream& stream, Instant now);

/// One for each stream that is followed, or of which the file has anything; never empty.
using Statuses = std::vector<Status>;
Statuses assess_all(const storage::FileStatus& file, const std::vector<const Stream*>& followed,
                    Instant now);

/// What a person has to know of first: of those that are followed, one that fails, or that has
/// nothing complete, or that is furthest behind.
const Status& worst_of(const Statuses& all);

}  // namespace mirror::daemon

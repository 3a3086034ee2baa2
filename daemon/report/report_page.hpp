// The report: from numbers to one HTML file that needs no network. Pure.
#pragma once

#include <optional>
#include <string>

#include "core/time/window.hpp"
#include "core/time/zone.hpp"
#include "daemon/status/status.hpp"
#include "storage/report_reader.hpp"
#include "storage/status_reader.hpp"

namespace mirror::daemon {

struct Report {
    storage::FileStatus file;
    Statuses statuses;  ///< of the streams to be shown
    storage::ReportNumbers numbers{};
    std::optional<Instant> counted{};  ///< when `numbers` were read; absent: they are being read
    LocalPeriod period;                ///< whole days
    Instant now{};
    bool served = false;  ///< by `run`, at `/` and `/still`
};

/// How much of a day is stored.
enum class DayState {
    whole,
    partly,
    none,
    unwanted,  ///< before the mirror begins, erased, or of a stream that is not followed any more
    ahead,     ///< it has not begun
};

/// What is in the file of a stream, and what is to be.
struct MirroredPeriod {
    WindowSet coverage{};
    Instant wanted_from = Instant::min();
    Instant kept_from = Instant::min();  ///< what is older was erased
    bool followed = true;
};

/// `day` is its first second.
DayState state_of_day(const MirroredPeriod& mirrored, LocalTime day, const Zone& zone, Instant now);

/// Names no person: no address, no profile, no destination. What the API wrote (subjects, user
/// agents, messages) is escaped.
std::string report_page(const Report& report, const Zone& zone);

}  // namespace mirror::daemon

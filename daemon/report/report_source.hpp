// From a mirror's file to the report, as `report` writes it and `run` serves it.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/record/stream.hpp"
#include "core/time/zone.hpp"

namespace mirror::daemon {

struct ReportSource {
    std::filesystem::path database;
    std::vector<const Stream*> streams;  ///< that are followed
    std::string time_zone;               ///< if the file has none yet
    std::chrono::milliseconds busy_timeout{5'000};
    /// Asked now and then while the file is read; false: it is not worth going on.
    std::function<bool()> go_on{};
};

/// The days that a report is about.
using ReportPeriod = std::function<LocalPeriod(Instant now, const Zone& zone)>;

/// The last thirty days, today included.
LocalPeriod last_thirty_days(Instant now, const Zone& zone);

/// Reads the file and draws the page. `served`: by `run`. Throws storage::DatabaseError, and what
/// `period` throws.
std::string draw_report(const ReportSource& source, const ReportPeriod& period, Instant now,
                        bool served = false);

}  // namespace mirror::daemon

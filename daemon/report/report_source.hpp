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
#include "storage/report_reader.hpp"

namespace mirror::daemon {

struct ReportSource {
    std::filesystem::path database;
    std::vector<const Stream*> streams;  ///< that are followed
    std::string time_zone;               ///< if the file has none yet
    std::chrono::milliseconds busy_timeout{5'000};
    /// Asked now and then while rows are counted; false: it is not worth going on.
    std::function<bool()> go_on{};
};

/// The days that a report is about.
using ReportPeriod = std::function<LocalPeriod(Instant now, const Zone& zone)>;

/// The last thirty days, today included.
LocalPeriod last_thirty_days(Instant now, const Zone& zone);

/// What takes long to read of a large file, and when it was read.
struct ReportCounts {
    Instant at{};
    storage::ReportNumbers numbers;
};

/// Throws storage::DatabaseError, and what `period` throws.
ReportCounts count_for_report(const ReportSource& source, const ReportPeriod& period, Instant now);

/// Reads the rest, and draws the page. Without `counts`, it says that they are being read.
/// `served`: by `run`. Throws as count_for_report() does.
std::string draw_report(const ReportSource& source, const ReportPeriod& period, Instant now,
                        const std::optional<ReportCounts>& counts, bool served = false);

}  // namespace mirror::daemon

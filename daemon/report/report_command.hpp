// `report`: one HTML file with the numbers of a period.
#pragma once

#include "core/time/zone.hpp"
#include "daemon/cli/command_line.hpp"
#include "daemon/config/config.hpp"
#include "daemon/process/environment.hpp"
#include "daemon/process/exit_code.hpp"

namespace mirror::daemon {

/// The days of --from and --to: each that the period touches; without them, the last 30 up to
/// today. Throws UsageError if these are none, or more than a report has room for. Pure.
LocalPeriod report_period(const CommandLine& line, Instant now, const Zone& zone);

/// Needs no token and no permission to write to the file. Throws storage::DatabaseError if it
/// cannot be read, UsageError.
ExitCode write_report(const CommandLine& line, const Config& config,
                      const Environment& environment);

}  // namespace mirror::daemon

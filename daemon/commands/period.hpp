// The period that --from and --to name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/time/zone.hpp"
#include "daemon/cli/command_line.hpp"
#include "daemon/config/config.hpp"
#include "daemon/process/environment.hpp"

namespace spdlog {
class logger;
}

namespace mirror::daemon {

struct RequestedPeriod {
    std::optional<LocalTime> from;
    std::optional<LocalTime> to;
    std::vector<std::string> notes;  ///< what people should know about it
};

/// `now` is this machine's clock. Throws UsageError if the period is empty or begins in the future.
/// Pure.
RequestedPeriod requested_period(const CommandLine& line, Instant now, const Zone& zone);

/// The same by the program's clock and the configured zone; the log has the notes.
RequestedPeriod requested_period(const CommandLine& line, const Config& config,
                                 const Environment& environment, spdlog::logger& log);

}  // namespace mirror::daemon

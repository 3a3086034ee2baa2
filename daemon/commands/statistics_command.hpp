// `audit --statistics`: compares each mailing with what the API's statistics count of it.
#pragma once

#include <memory>
#include <string>

#include <spdlog/logger.h>

#include "core/sync/observer.hpp"
#include "core/sync/statistics_audit.hpp"
#include "core/time/zone.hpp"
#include "daemon/cli/command_line.hpp"
#include "daemon/config/config.hpp"
#include "daemon/process/environment.hpp"
#include "daemon/process/exit_code.hpp"

namespace mirror::daemon {

/// Throws what program.cpp turns into exit codes. `metrics`, if not null, observes it.
ExitCode audit_statistics(const CommandLine& line, const Config& config,
                          const Environment& environment,
                          const std::shared_ptr<spdlog::logger>& log, sync::Observer* metrics);

/// The documented JSON object, with a line's end.
std::string statistics_json(const sync::StatisticsReport& report);

/// For people.
std::string statistics_text(const sync::StatisticsReport& report, const Zone& zone);

}  // namespace mirror::daemon

// `audit`: compares counts with the API, and puts right what differs.
#pragma once

#include <memory>
#include <string>

#include <spdlog/logger.h>

#include "core/sync/audit.hpp"
#include "core/sync/observer.hpp"
#include "daemon/cli/command_line.hpp"
#include "daemon/config/config.hpp"
#include "daemon/process/environment.hpp"
#include "daemon/process/exit_code.hpp"

namespace mirror::daemon {

/// Throws what program.cpp turns into exit codes. `metrics`, if not null, observes it.
ExitCode audit_mirror(const CommandLine& line, const Config& config, const Environment& environment,
                      const std::shared_ptr<spdlog::logger>& log, sync::Observer* metrics);

/// The documented JSON object, with a line's end.
std::string audit_json(const sync::AuditReport& report);

/// For people.
std::string audit_text(const sync::AuditReport& report, const Zone& zone);

}  // namespace mirror::daemon

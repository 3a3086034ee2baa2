// `status`: what the file holds, how far it is complete, what is wrong.
#pragma once

#include <spdlog/logger.h>

#include "daemon/cli/command_line.hpp"
#include "daemon/config/config.hpp"
#include "daemon/process/environment.hpp"
#include "daemon/process/exit_code.hpp"

namespace mirror::daemon {

/// Needs no token and no permission to write. Throws storage::DatabaseError if the file cannot
/// be read.
ExitCode show_status(const CommandLine& line, const Config& config, const Environment& environment,
                     spdlog::logger& log);

}  // namespace mirror::daemon

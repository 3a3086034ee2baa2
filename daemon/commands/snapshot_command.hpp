// `snapshot FILE`: a copy of the file as it is now.
#pragma once

#include "daemon/cli/command_line.hpp"
#include "daemon/config/config.hpp"
#include "daemon/process/environment.hpp"
#include "daemon/process/exit_code.hpp"

namespace mirror::daemon {

/// Needs no token and no permission to write to the mirror. Throws storage::DatabaseError.
ExitCode take_snapshot(const CommandLine& line, const Config& config,
                       const Environment& environment);

}  // namespace mirror::daemon

// `status`: what the file holds, how far it is complete, what is wrong.
#pragma once

#include "daemon/command_line.hpp"
#include "daemon/config.hpp"
#include "daemon/environment.hpp"
#include "daemon/exit_code.hpp"

namespace mirror::daemon {

/// Needs no token and no permission to write. Throws storage::DatabaseError where the file cannot
/// be read.
ExitCode show_status(const CommandLine& line, const Config& config, const Environment& environment);

}  // namespace mirror::daemon

// `sync --estimate` and `backfill --estimate`: what a load would take. Stores nothing.
#pragma once

#include "daemon/cli/command_line.hpp"
#include "daemon/config/config.hpp"
#include "daemon/process/environment.hpp"
#include "daemon/process/exit_code.hpp"

namespace mirror::daemon {

/// Asks for counts with ten requests at the most, and prints what is there to fetch, what that
/// takes, and how much room there is for it. Makes no file. Throws what the command itself would.
ExitCode print_estimate(const CommandLine& line, const Config& config,
                        const Environment& environment);

}  // namespace mirror::daemon

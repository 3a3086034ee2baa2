// `sync --estimate` and `backfill --estimate`: what a load would take. Stores nothing.
#pragma once

#include <memory>

#include <spdlog/logger.h>

#include "daemon/cli/command_line.hpp"
#include "daemon/config/config.hpp"
#include "daemon/process/environment.hpp"
#include "daemon/process/exit_code.hpp"

namespace mirror::daemon {

/// Asks for counts with at most ten requests for each stream, and prints what is there to fetch of
/// each and of all together, what that takes, and how much room there is for it. Makes no file.
/// A stream that the API refuses is named; throws what the command itself would if it refuses all.
ExitCode print_estimate(const CommandLine& line, const Config& config,
                        const Environment& environment, const std::shared_ptr<spdlog::logger>& log);

}  // namespace mirror::daemon

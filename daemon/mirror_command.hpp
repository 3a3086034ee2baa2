// `sync` and `backfill`: one session, from configuration to a summary line.
#pragma once

#include <memory>

#include <spdlog/logger.h>

#include "daemon/command_line.hpp"
#include "daemon/config.hpp"
#include "daemon/environment.hpp"
#include "daemon/exit_code.hpp"

namespace mirror::daemon {

/// Throws what program.cpp turns into exit codes.
ExitCode mirror_once(const CommandLine& line, const Config& config, const Environment& environment,
                     const std::shared_ptr<spdlog::logger>& log);

}  // namespace mirror::daemon

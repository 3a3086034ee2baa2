// `run`, `sync` and `backfill`: one session, from configuration to its end.
#pragma once

#include <functional>
#include <memory>

#include <spdlog/logger.h>

#include "core/sync/observer.hpp"
#include "daemon/cli/command_line.hpp"
#include "daemon/config/config.hpp"
#include "daemon/process/environment.hpp"
#include "daemon/process/exit_code.hpp"

namespace mirror::daemon {

// Both throw what program.cpp turns into exit codes.

/// `run`: until a signal stops it, which is its good end. `read_again` gives the configuration as
/// it is at a SIGHUP, or throws UsageError.
ExitCode run_mirror(const CommandLine& line, const Config& config, const Environment& environment,
                    const std::shared_ptr<spdlog::logger>& log,
                    const std::function<Config()>& read_again);

/// `sync` and `backfill`. `metrics`, if not null, observes it.
ExitCode mirror_once(const CommandLine& line, const Config& config, const Environment& environment,
                     const std::shared_ptr<spdlog::logger>& log, sync::Observer* metrics);

}  // namespace mirror::daemon

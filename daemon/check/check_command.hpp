// `check`: tries everything that the mirror needs, and says what to do.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "daemon/cli/command_line.hpp"
#include "daemon/config/config.hpp"
#include "daemon/process/environment.hpp"
#include "daemon/process/exit_code.hpp"

namespace mirror::daemon {

/// The names of all findings, in their order: a contract with scripts.
std::vector<std::string> check_names();

/// Changes nothing and creates nothing. Goes on after a FAIL with what can be checked without it.
/// `read_configuration` gives the configuration, or throws UsageError.
ExitCode check(const CommandLine& line, const Environment& environment,
               const std::function<Config()>& read_configuration);

}  // namespace mirror::daemon

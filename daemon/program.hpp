// The program: from arguments to an exit code.
#pragma once

#include <string>
#include <vector>

#include "daemon/process/environment.hpp"
#include "daemon/process/exit_code.hpp"

namespace mirror::daemon {

/// `arguments` without the program's name. Throws nothing: what goes wrong is one line on
/// `environment.err` and the exit code.
ExitCode run_program(const std::vector<std::string>& arguments, const Environment& environment);

}  // namespace mirror::daemon

// The exit code and the message of an exception that ends the program.
#pragma once

#include <exception>
#include <string>

#include "daemon/process/exit_code.hpp"

namespace mirror::daemon {

/// ExitCode::internal for what is neither the API's fault nor the user's.
ExitCode exit_code_of(const std::exception& error);

/// On one line, fit for a terminal.
std::string message_of(const std::exception& error);

}  // namespace mirror::daemon

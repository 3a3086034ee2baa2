// What ends the program by an exception: its exit code, and the words for people.
#pragma once

#include <exception>
#include <string>

#include "daemon/process/exit_code.hpp"

namespace mirror::daemon {

/// ExitCode::internal for what nobody expected: neither the API nor the user is to blame for it.
ExitCode exit_code_of(const std::exception& error);

/// On one line, fit for a terminal.
std::string message_of(const std::exception& error);

}  // namespace mirror::daemon

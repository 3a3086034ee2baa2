// What --version prints.
#pragma once

#include <string>
#include <string_view>

namespace mirror::daemon {

/// The first line is the program's name and version, for scripts; then one line each for the
/// commit (none if `commit` is empty), the libraries (OpenSSL and SQLite: those that are loaded,
/// which may be newer than those that the program was built with), and the schema that the program
/// writes.
std::string version_text(std::string_view commit);

}  // namespace mirror::daemon

// A TOML file, or what is wrong with it.
#pragma once

#include <filesystem>

#include <toml++/toml.h>

namespace mirror::daemon {

/// Throws UsageError, naming file and line. `what` it is, for people: "configuration file".
toml::table parse_toml_file(const std::filesystem::path& file, const char* what);

}  // namespace mirror::daemon

// How people name the mirror at hand when they call the program again.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "daemon/cli/command_line.hpp"

namespace mirror::daemon {

struct Invocation {
    /// What a command for the same mirror needs, such as " --config shop.toml"; empty: nothing.
    std::string options;
    /// The service of the package that keeps this mirror, without ".service"; nothing: none does.
    std::optional<std::string> unit;
};

/// Pure. A configuration beside the default one is that of the template's instance of its name.
Invocation invocation_of(const CommandLine& line, const std::filesystem::path& default_config);

}  // namespace mirror::daemon

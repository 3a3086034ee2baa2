// Rules of opens (core/record/open_rules.hpp) as people write them: packaging/open-rules.toml.
#pragma once

#include <filesystem>
#include <vector>

#include "core/record/open_rules.hpp"

namespace mirror::daemon {

/// In the order of the file. Throws UsageError, naming file, line and rule, for anything that is
/// not understood.
std::vector<OpenRule> read_open_rules(const std::filesystem::path& file);

/// Those of packaging/open-rules.toml, as the build embeds them.
std::vector<OpenRule> packaged_open_rules();

}  // namespace mirror::daemon

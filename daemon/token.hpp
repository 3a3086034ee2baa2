// Where the access token comes from.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "daemon/environment.hpp"

namespace mirror::daemon {

struct FoundToken {
    std::string token;
    std::string source;  ///< for people: "$COPERNICA_ACCESS_TOKEN", or the file
    /// What should be put right although the token can be used: a file that others may read.
    std::optional<std::string> warning;
};

/// The first of: the file of --token-file, the configured file, the systemd credential
/// `access_token`, $COPERNICA_ACCESS_TOKEN. Throws UsageError where there is none, or the one
/// named cannot be used; never with the token in the text.
FoundToken find_token(const std::optional<std::filesystem::path>& option,
                      const std::filesystem::path& configured, const Environment& environment);

}  // namespace mirror::daemon

// Where the access token comes from.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "daemon/process/environment.hpp"

namespace mirror::daemon {

struct FoundToken {
    std::string token;
    std::string source;  ///< for people: "$COPERNICA_ACCESS_TOKEN", or the file
    /// What should be put right although the token can be used: a file that others may read.
    std::optional<std::string> warning;
    std::string advice;  ///< what to do when it is refused while `run` goes on, for people
    /// The file from which it is read again then.
    std::optional<std::filesystem::path> file;
};

/// The first of: the file of --token-file, the configured file, the systemd credential
/// `access_token`, $COPERNICA_ACCESS_TOKEN. Throws UsageError if there is none, or if the one
/// named cannot be used; never with the token in the text.
FoundToken find_token(const std::optional<std::filesystem::path>& option,
                      const std::filesystem::path& configured, const Environment& environment);

/// The token that the file holds now; nothing if there is none that can be used.
std::optional<std::string> token_now(const std::filesystem::path& file);

}  // namespace mirror::daemon

// Who may change a file that decides where the token goes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace mirror::daemon {

/// How everybody on this machine could change or replace the file, for people; nothing if they
/// cannot, or if there is no such file.
std::optional<std::string> how_anybody_may_change(const std::filesystem::path& file);

}  // namespace mirror::daemon

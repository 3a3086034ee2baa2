// Why a file cannot be read, for people.
#pragma once

#include <filesystem>
#include <string>

namespace mirror::daemon {

/// The system's reason, such as "No such file or directory". To be called after reading has failed:
/// it tries again.
std::string why_unreadable(const std::filesystem::path& file);

}  // namespace mirror::daemon

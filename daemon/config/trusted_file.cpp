#include "daemon/config/trusted_file.hpp"

#include <sys/stat.h>
#include <system_error>

#include <fmt/format.h>

namespace mirror::daemon {
namespace {

constexpr mode_t mode_bits = 07777;

std::optional<mode_t> mode_of(const std::filesystem::path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        return std::nullopt;
    }
    return status.st_mode & mode_bits;
}

}  // namespace

std::optional<std::string> how_anybody_may_change(const std::filesystem::path& file) {
    std::error_code failure;
    const auto path = std::filesystem::canonical(file, failure);
    const auto mode = failure ? std::nullopt : mode_of(path);
    if (!mode) {
        return std::nullopt;
    }
    if ((*mode & S_IWOTH) != 0) {
        return fmt::format("everybody may change {} (mode {:04o}); chmod o-w {}", path.string(),
                           *mode, path.string());
    }
    for (auto directory = path.parent_path();; directory = directory.parent_path()) {
        const auto entered = mode_of(directory);
        // In a sticky directory, only the owner of a file may replace it.
        if (entered && (*entered & S_IWOTH) != 0 && (*entered & S_ISVTX) == 0) {
            return fmt::format(
                "everybody may replace {}, because its directory {} has mode {:04o}; chmod o-w {}",
                path.string(), directory.string(), *entered, directory.string());
        }
        if (directory == directory.root_path()) {
            return std::nullopt;
        }
    }
}

}  // namespace mirror::daemon

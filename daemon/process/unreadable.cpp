#include "daemon/process/unreadable.hpp"

#include <cerrno>
#include <fstream>
#include <system_error>

namespace mirror::daemon {

std::string why_unreadable(const std::filesystem::path& file) {
    std::error_code failed;
    const auto status = std::filesystem::status(file, failed);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
        return std::filesystem::is_directory(status) ? "it is a directory" : "it is not a file";
    }
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    in.get();
    return errno != 0 ? std::system_category().message(errno) : "it changed meanwhile";
}

}  // namespace mirror::daemon

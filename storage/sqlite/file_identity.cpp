#include "storage/sqlite/file_identity.hpp"

#include <sys/stat.h>

namespace mirror::storage {

std::optional<FileIdentity> identity_of(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        return std::nullopt;
    }
    return FileIdentity{status.st_dev, status.st_ino};
}

}  // namespace mirror::storage

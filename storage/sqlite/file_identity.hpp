// Which file a name leads to.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>

namespace mirror::storage {

struct FileIdentity {
    dev_t device{};
    ino_t inode{};
    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

/// Nothing if the file does not exist.
std::optional<FileIdentity> identity_of(const std::string& path);

}  // namespace mirror::storage

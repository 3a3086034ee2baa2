// The names of the files that make a mirror.
#pragma once

#include <filesystem>

namespace mirror::storage {

/// Whether `file` is the database or one of the files beside it (log, index of the log, lock,
/// journal), which need not be there. A program that writes to such a name damages the mirror.
bool is_of_mirror(const std::filesystem::path& database, const std::filesystem::path& file);

}  // namespace mirror::storage

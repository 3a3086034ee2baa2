#include "storage/mirror_files.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <system_error>

namespace mirror::storage {

bool is_of_mirror(const std::filesystem::path& database, const std::filesystem::path& file) {
    constexpr std::array<const char*, 5> suffixes{"", "-wal", "-shm", ".lock", "-journal"};
    return std::any_of(suffixes.begin(), suffixes.end(), [&](const char* suffix) {
        const std::filesystem::path own = database.string() + suffix;
        std::error_code ignored;
        return std::filesystem::equivalent(own, file, ignored) ||
               std::filesystem::weakly_canonical(own, ignored) ==
                   std::filesystem::weakly_canonical(file, ignored);
    });
}

}  // namespace mirror::storage

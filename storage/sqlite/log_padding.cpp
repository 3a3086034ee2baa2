#include "storage/sqlite/log_padding.hpp"

#include <array>
#include <fcntl.h>
#include <new>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace mirror::storage {
namespace {

// Of a header and of a frame's own; any length above the first will do.
constexpr std::size_t padding = 32 + 24;

}  // namespace

void pad_empty_log(const std::filesystem::path& database) noexcept {
    try {
        // Appended, so that it would harm nothing even if somebody else began to write just now.
        const int log =
            ::open((database.string() + "-wal").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
        if (log < 0) {
            return;
        }
        struct stat state {};
        if (::fstat(log, &state) == 0 && state.st_size == 0) {
            constexpr std::array<char, padding> zeros{};
            [[maybe_unused]] const ssize_t written = ::write(log, zeros.data(), zeros.size());
        }
        ::close(log);
    } catch (const std::bad_alloc&) {
        return;
    }
}

}  // namespace mirror::storage

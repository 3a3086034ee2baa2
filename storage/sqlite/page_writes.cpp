#include "storage/sqlite/page_writes.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <sys/types.h>

#include <sqlite3.h>

namespace mirror::storage {
namespace {

using Write = ssize_t (*)(int, const void*, std::size_t, off_t);

std::atomic<std::uint64_t> writes{0};
Write write_at = nullptr;

ssize_t count_and_write(int descriptor, const void* bytes, std::size_t size, off_t offset) {
    writes.fetch_add(1, std::memory_order_relaxed);
    return write_at(descriptor, bytes, size, offset);
}

// SQLite's own way to put something in the place of a system call (sqlite3_vfs). It writes by one
// of these two; the other is not there.
bool replace_writes() {
    static_assert(sizeof(off_t) == 8, "pwrite and pwrite64 are to take the same offset");
    sqlite3_vfs* const vfs = sqlite3_vfs_find(nullptr);
    if (vfs == nullptr || vfs->iVersion < 3 || vfs->xSetSystemCall == nullptr) {
        return false;
    }
    for (const char* const name : {"pwrite", "pwrite64"}) {
        if (const sqlite3_syscall_ptr original = vfs->xGetSystemCall(vfs, name)) {
            write_at = reinterpret_cast<Write>(original);
            return vfs->xSetSystemCall(vfs, name,
                                       reinterpret_cast<sqlite3_syscall_ptr>(&count_and_write)) ==
                   SQLITE_OK;
        }
    }
    return false;
}

}  // namespace

void count_page_writes() {
    static const bool replaced = replace_writes();
    static_cast<void>(replaced);
}

std::uint64_t page_writes() {
    return writes.load(std::memory_order_relaxed);
}

}  // namespace mirror::storage

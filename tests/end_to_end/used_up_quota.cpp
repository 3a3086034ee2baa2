// A disk whose quota is used up: from some byte on, writes to the database's files fail. The limit
// in bytes is in $QUOTA_BYTES.
#include <cerrno>
#include <cstdlib>
#include <dlfcn.h>
#include <sys/types.h>

namespace {

using Write = ssize_t (*)(int, const void*, size_t, off_t);

bool is_used_up(size_t size, off_t offset) {
    const char* const limit = std::getenv("QUOTA_BYTES");
    return limit != nullptr && offset + static_cast<off_t>(size) > std::atoll(limit);
}

}  // namespace

extern "C" ssize_t pwrite64(int descriptor, const void* data, size_t size, off_t offset) {
    static const auto real = reinterpret_cast<Write>(dlsym(RTLD_NEXT, "pwrite64"));
    if (is_used_up(size, offset)) {
        errno = EDQUOT;
        return -1;
    }
    return real(descriptor, data, size, offset);
}

extern "C" ssize_t pwrite(int descriptor, const void* data, size_t size, off_t offset) {
    return pwrite64(descriptor, data, size, offset);
}

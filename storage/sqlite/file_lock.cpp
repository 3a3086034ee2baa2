#include "storage/sqlite/file_lock.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <unistd.h>

#include "storage/sqlite/errors.hpp"

namespace mirror::storage {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto first_pause = milliseconds(1);
constexpr auto longest_pause = milliseconds(50);

struct flock one_byte(FileLock::Part part, short type) {
    struct flock range {};
    range.l_type = type;
    range.l_whence = SEEK_SET;
    range.l_start = static_cast<off_t>(part);
    range.l_len = 1;
    return range;
}

// A file that was deleted locks nothing: others would make a new one.
bool deleted(int descriptor) {
    struct stat status {};
    return ::fstat(descriptor, &status) == 0 && status.st_nlink == 0;
}

// Links followed: everybody must find the same lock file, beside the same -wal.
std::filesystem::path resolved(const std::filesystem::path& database) {
    std::error_code failure;
    auto path = std::filesystem::canonical(database, failure);
    if (failure) {
        throw explain_system("find it", failure.value(), database);
    }
    return path;
}

}  // namespace

FileLock::FileLock(const std::filesystem::path& database)
    : database_(resolved(database)), path_(database_.string() + ".lock") {
    descriptor_ = open_or_create();
}

FileLock::~FileLock() {
    ::close(descriptor_);
}

int FileLock::open_or_create() const {
    struct stat owner {};
    if (::stat(database_.c_str(), &owner) != 0) {
        throw explain_system("look at it", errno, database_);
    }
    for (;;) {
        int descriptor = ::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (descriptor >= 0) {
            return descriptor;
        }
        if (const int failure = errno; failure != ENOENT) {
            throw explain_system("open " + path_.string(), failure, database_);
        }
        const mode_t mode = owner.st_mode & 0666;
        descriptor = ::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL, mode);
        if (descriptor >= 0) {
            // Every user who may write the database must be able to take the lock.
            // Only root can give a file away; for others what they own already is right.
            if (::fchown(descriptor, owner.st_uid, owner.st_gid) != 0 && errno != EPERM) {
                const int failure = errno;
                ::close(descriptor);
                throw explain_system("change the owner of " + path_.string(), failure, database_);
            }
            ::fchmod(descriptor, mode);
            return descriptor;
        }
        if (const int failure = errno; failure != EEXIST) {
            throw explain_system("create " + path_.string(), failure, database_);
        }
    }
}

bool FileLock::try_lock(Part part) {
    for (;;) {
        struct flock range = one_byte(part, F_WRLCK);
        if (::fcntl(descriptor_, F_OFD_SETLK, &range) != 0) {
            const int failure = errno;
            if (failure == EAGAIN || failure == EACCES || failure == EINTR) {
                return false;
            }
            throw explain_system("lock " + path_.string(), failure, database_);
        }
        if (!deleted(descriptor_)) {
            return true;
        }
        const int fresh = open_or_create();
        ::close(descriptor_);
        descriptor_ = fresh;
    }
}

bool FileLock::lock(Part part, milliseconds patience) {
    const auto deadline = steady_clock::now() + patience;
    auto pause = first_pause;
    while (!try_lock(part)) {
        const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
        if (left <= milliseconds::zero()) {
            return false;
        }
        std::this_thread::sleep_for(std::min(pause, left));
        pause = std::min(pause * 2, longest_pause);
    }
    return true;
}

void FileLock::unlock(Part part) noexcept {
    struct flock range = one_byte(part, F_UNLCK);
    ::fcntl(descriptor_, F_OFD_SETLK, &range);
}

WriteLock::WriteLock(FileLock& file, milliseconds patience) : file_(file) {
    if (!file_.lock(FileLock::Part::write, patience)) {
        throw DatabaseError(DatabaseErrorKind::locked,
                            "database " + file_.database().string() +
                                ": locked: another copernica-mirror has been writing to it for "
                                "more than " +
                                std::to_string(patience.count()) +
                                " ms; wait until it is done, or end it");
    }
}

WriteLock::~WriteLock() {
    file_.unlock(FileLock::Part::write);
}

RunLock::RunLock(const std::filesystem::path& database) : file_(database) {
    if (!file_.try_lock(FileLock::Part::run)) {
        throw DatabaseError(DatabaseErrorKind::locked,
                            "database " + file_.database().string() +
                                ": another `copernica-mirror run` keeps it up to date already; "
                                "stop that one first, or use `sync` or `backfill` beside it");
    }
}

}  // namespace mirror::storage

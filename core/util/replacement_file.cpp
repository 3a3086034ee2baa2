#include "core/util/replacement_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace mirror {
namespace {

// What failed is put together after errno was read: an allocation may change it.
[[noreturn]] void fail(std::string_view attempt, std::string_view on = "",
                       std::string_view after = "") {
    const int failure = errno;
    throw FileError(std::string(attempt).append(on).append(after), failure);
}

// Of one byte far behind those that SQLite locks, which may be at work on the file.
bool lock(int descriptor) {
    struct flock byte {};
    byte.l_type = F_WRLCK;
    byte.l_whence = SEEK_SET;
    byte.l_start = off_t{1} << 60;
    byte.l_len = 1;
    return ::fcntl(descriptor, F_OFD_SETLK, &byte) == 0;
}

constexpr std::string_view suffix = ".unfinished-";
constexpr std::size_t random_length = 6;  // of the letters that mkostemp chooses

// Whoever is at work on such a file has it locked. What cannot be removed is left.
void remove_abandoned(const std::filesystem::path& target) {
    const std::string prefix = target.filename().string() + std::string(suffix);
    const std::filesystem::path parent = target.parent_path();
    std::error_code ignored;
    std::filesystem::directory_iterator entries(parent.empty() ? "." : parent, ignored);
    for (; !ignored && entries != std::filesystem::directory_iterator();
         entries.increment(ignored)) {
        const std::string name = entries->path().filename().string();
        if (!name.starts_with(prefix) || name.size() != prefix.size() + random_length) {
            continue;
        }
        const int descriptor =
            ::open(entries->path().c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (descriptor < 0) {
            continue;
        }
        if (lock(descriptor)) {
            std::error_code left;
            std::filesystem::remove(entries->path(), left);
            for (const char* const beside : {"-journal", "-wal", "-shm"}) {
                std::filesystem::remove(entries->path().string() + beside, left);
            }
        }
        ::close(descriptor);
    }
}

}  // namespace

std::optional<std::string> why_not_to_replace(const std::filesystem::path& target,
                                              std::string_view begin, std::string_view what) {
    std::error_code error;
    if (!std::filesystem::exists(target, error)) {
        return std::nullopt;
    }
    if (!std::filesystem::is_regular_file(target, error)) {
        return "it is not a regular file";
    }
    std::ifstream file(target, std::ios::binary);
    if (!file) {
        return "it exists, and cannot be read";
    }
    std::string found(begin.size(), '\0');
    file.read(found.data(), static_cast<std::streamsize>(found.size()));
    found.resize(static_cast<std::size_t>(file.gcount()));
    if (found.empty() || found == begin) {
        return std::nullopt;
    }
    return "it exists, and is not " + std::string(what);
}

ReplacementFile::ReplacementFile(std::filesystem::path target, mode_t mode)
    : target_(std::move(target)),
      name_(target_.string() + std::string(suffix) + std::string(random_length, 'X')) {
    remove_abandoned(target_);
    descriptor_ = ::mkostemp(name_.data(), O_CLOEXEC);
    if (descriptor_ < 0) {
        fail("make a file in its directory");
    }
    lock(descriptor_);  // without locks, nothing is taken for abandoned either
    // The owner may always do that, except if the file system has no modes, as FAT has none.
    if (::fchmod(descriptor_, mode) != 0 && errno != EPERM) {
        const int failure = errno;
        ::close(descriptor_);
        ::unlink(name_.c_str());
        throw FileError("set the mode of " + name_, failure);
    }
}

ReplacementFile::~ReplacementFile() {
    ::close(descriptor_);
    if (!name_.empty()) {
        ::unlink(name_.c_str());
    }
}

void ReplacementFile::write(std::string_view text) const {
    while (!text.empty()) {
        const ssize_t written = ::write(descriptor_, text.data(), text.size());
        if (written < 0 && errno != EINTR) {
            fail("write ", name_);
        }
        text.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
}

void ReplacementFile::replace() {
    if (::rename(name_.c_str(), target_.c_str()) != 0) {
        fail("rename ", name_);
    }
    name_.clear();
}

void ReplacementFile::replace_durably() {
    if (::fsync(descriptor_) != 0) {
        fail("write ", name_, " to the disk");
    }
    replace();
    const std::string directory = std::filesystem::absolute(target_).parent_path().string();
    const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
    const int failure = errno;
    if (descriptor >= 0) {
        ::close(descriptor);
    }
    if (!synced) {
        throw FileError("write " + directory + " to the disk", failure);
    }
}

}  // namespace mirror

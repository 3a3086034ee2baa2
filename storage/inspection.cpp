#include "storage/inspection.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <system_error>
#include <unistd.h>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include "storage/mirror_database.hpp"
#include "storage/sqlite/errors.hpp"
#include "storage/sqlite/file_check.hpp"
#include "storage/sqlite/file_lock.hpp"

namespace mirror::storage {
namespace {

constexpr mode_t permission_bits = 07777;

// The question alone takes nothing, and may be asked without permission to write.
bool is_held(const std::filesystem::path& lock_file, FileLock::Part part) {
    const int descriptor = ::open(lock_file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) {
        return false;
    }
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_start = static_cast<off_t>(part);
    range.l_len = 1;
    const bool held = ::fcntl(descriptor, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
    ::close(descriptor);
    return held;
}

}  // namespace

Entry look_at(const std::filesystem::path& path) {
    Entry found;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        return found;
    }
    found.exists = true;
    found.regular = S_ISREG(status.st_mode);
    found.mode = status.st_mode & permission_bits;
    found.owner = status.st_uid;
    found.group = status.st_gid;
    found.bytes = static_cast<std::uint64_t>(status.st_size);
    found.readable = ::access(path.c_str(), R_OK) == 0;
    found.writable = ::access(path.c_str(), W_OK) == 0;
    return found;
}

Inspection inspect(const std::filesystem::path& file) {
    Inspection seen;
    std::error_code ignored;
    seen.path =
        std::filesystem::weakly_canonical(std::filesystem::absolute(file, ignored), ignored);
    if (seen.path.empty()) {
        seen.path = file;
    }
    const std::string path = seen.path.string();
    seen.database = look_at(seen.path);
    seen.log = look_at(path + "-wal");
    seen.shared = look_at(path + "-shm");
    seen.lock = look_at(path + ".lock");
    const auto directory = seen.path.parent_path();
    seen.directory = look_at(directory);
    seen.not_creatable = why_not_creatable(file);
    struct statfs system {};
    if (::statfs(directory.c_str(), &system) == 0) {
        // The type's width and sign differ from machine to machine.
        seen.file_system = static_cast<std::int64_t>(static_cast<std::uint32_t>(system.f_type));
    }
    struct statvfs room {};
    if (::statvfs(directory.c_str(), &room) == 0) {
        seen.free_bytes = std::uint64_t{room.f_bavail} * room.f_frsize;
        seen.read_only = (room.f_flag & ST_RDONLY) != 0;
    }
    seen.run_lock_held = is_held(path + ".lock", FileLock::Part::run);
    return seen;
}

SoundnessReport check_soundness(const std::filesystem::path& file, std::uint64_t whole_up_to,
                                std::chrono::milliseconds busy_timeout) {
    SQLite::Database sql = open_mirror_read_only(file, busy_timeout);
    SoundnessReport report;
    std::error_code ignored;
    report.whole_file = std::filesystem::file_size(sql.getFilename(), ignored) <= whole_up_to;
    const auto complaint = [&sql](const std::string& pragma) {
        std::string words = sql.execAndGet(pragma).getString();
        return words == "ok" ? std::string() : words;
    };
    try {
        if (report.whole_file) {
            report.complaint = complaint("PRAGMA quick_check(1)");
            return report;
        }
        for (const char* const table : {"mirror", "coverage", "runs", "lateness"}) {
            report.complaint = complaint(std::string("PRAGMA quick_check(") + table + ")");
            if (!report.complaint.empty()) {
                break;
            }
        }
    } catch (const SQLite::Exception& error) {
        throw explain(error, system_error_of(sql.getHandle()), sql.getFilename());
    }
    return report;
}

int sqlite_version() {
    return sqlite3_libversion_number();
}

}  // namespace mirror::storage

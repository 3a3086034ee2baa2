#include "storage/snapshot.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Transaction.h>
#include <sqlite3.h>

#include "storage/mirror_database.hpp"
#include "storage/sqlite/errors.hpp"

namespace mirror::storage {
namespace {

constexpr mode_t file_mode = 0640;
constexpr int pages_a_step = 256;

// A file beside the one that it may become; removed with this object if it does not.
class TemporaryFile {
  public:
    explicit TemporaryFile(const std::filesystem::path& target)
        : target_(target), name_(target.string() + ".XXXXXX") {
        const int descriptor = ::mkostemp(name_.data(), O_CLOEXEC);
        if (descriptor < 0) {
            throw explain_system("create a file in its directory", errno, target_);
        }
        ::fchmod(descriptor, file_mode);
        ::close(descriptor);
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() {
        if (!name_.empty()) {
            ::unlink(name_.c_str());
        }
    }

    const std::string& name() const { return name_; }

    // It is on the disk before it has its name.
    void become_target() {
        sync(name_, O_RDWR);
        if (::rename(name_.c_str(), target_.c_str()) != 0) {
            throw explain_system("rename the copy", errno, target_);
        }
        name_.clear();
        sync(std::filesystem::absolute(target_).parent_path().string(), O_RDONLY | O_DIRECTORY);
    }

  private:
    void sync(const std::string& path, int flags) const {
        const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
        const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
        const int failure = errno;
        if (descriptor >= 0) {
            ::close(descriptor);
        }
        if (!synced) {
            throw explain_system("write the copy to the disk", failure, target_);
        }
    }

    std::filesystem::path target_;
    std::string name_;
};

[[noreturn]] void refuse(const std::filesystem::path& target, const std::string& why) {
    throw DatabaseError(DatabaseErrorKind::foreign,
                        "snapshot " + target.string() + ": " + why + "; name another file");
}

void check_target(const SnapshotOptions& options) {
    std::error_code ignored;
    if (std::filesystem::equivalent(options.source, options.target, ignored)) {
        refuse(options.target, "it is the mirror itself");
    }
    if (std::filesystem::exists(options.target, ignored) &&
        !std::filesystem::is_regular_file(options.target, ignored)) {
        refuse(options.target, "it is not a regular file");
    }
    // A log beside the copy would be taken for the copy's.
    for (const char* const suffix : {"-wal", "-journal"}) {
        if (std::filesystem::exists(options.target.string() + suffix, ignored)) {
            refuse(options.target, "beside it lies " + options.target.string() + suffix +
                                       ", so it is a database that is used");
        }
    }
}

// False if it was ended.
bool copy(SQLite::Database& from, SQLite::Database& to, const SnapshotOptions& options) {
    const auto page_size =
        static_cast<std::uint64_t>(from.execAndGet("PRAGMA page_size").getInt64());
    // The copy shows this moment: without a transaction, each write would begin it anew.
    const SQLite::Transaction moment(from);
    from.execAndGet("SELECT count(*) FROM sqlite_schema");
    SQLite::Backup backup(to, from);
    for (;;) {
        const int result = backup.executeStep(pages_a_step);
        SnapshotProgress progress;
        progress.bytes = static_cast<std::uint64_t>(backup.getTotalPageCount()) * page_size;
        progress.bytes_done =
            progress.bytes - static_cast<std::uint64_t>(backup.getRemainingPageCount()) * page_size;
        if (options.go_on && !options.go_on(progress)) {
            return false;
        }
        if (result == SQLITE_DONE) {
            return true;
        }
    }
}

}  // namespace

std::uint64_t take_snapshot(const SnapshotOptions& options) {
    SQLite::Database from = open_mirror_read_only(options.source, options.busy_timeout);
    check_target(options);
    TemporaryFile file(options.target);
    try {
        SQLite::Database to(file.name(), SQLite::OPEN_READWRITE);
        to.exec("PRAGMA synchronous = OFF");  // the whole file is synced at the end
        if (!copy(from, to, options)) {
            return 0;
        }
        // A file in WAL mode cannot be opened without permission to write beside it.
        to.execAndGet("PRAGMA journal_mode = DELETE");
    } catch (const SQLite::Exception& error) {
        throw explain(error, system_error_of(from.getHandle()), options.target);
    }
    const auto bytes = std::filesystem::file_size(file.name());
    file.become_target();
    return bytes;
}

}  // namespace mirror::storage

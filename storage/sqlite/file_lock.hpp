// The advisory locks of one mirror, on a file of their own beside the database.
//
// SQLite before 3.51.3 can damage a WAL file when two connections write or checkpoint at the same
// moment. So all our processes take the write lock around write transactions, checkpoints,
// opening, migrating and closing. Readers never touch it.
#pragma once

#include <chrono>
#include <filesystem>

namespace mirror::storage {

/// An open FILE.lock. Its locks belong to this object (open file description locks), so two
/// objects exclude each other even within one process; they end with it, or with the process.
class FileLock {
  public:
    /// Which byte of the file.
    enum class Part { write = 0, run = 1, erase = 2 };

    /// Opens the lock file of `database`, which must exist; creates it with the database's owner,
    /// group and mode. Throws DatabaseError.
    explicit FileLock(const std::filesystem::path& database);
    ~FileLock();
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

    /// True when the lock is ours now. Throws DatabaseError when locking does not work here.
    bool try_lock(Part part);

    /// As try_lock(), but waits up to `patience`, looking again with growing pauses.
    bool lock(Part part, std::chrono::milliseconds patience);

    void unlock(Part part) noexcept;

    const std::filesystem::path& database() const { return database_; }

  private:
    int open_or_create() const;

    std::filesystem::path database_;
    std::filesystem::path path_;
    int descriptor_ = -1;
};

/// Holds the write lock while it lives.
class WriteLock {
  public:
    /// Throws DatabaseError (locked) when it is not free within `patience`.
    WriteLock(FileLock& file, std::chrono::milliseconds patience);
    ~WriteLock();
    WriteLock(const WriteLock&) = delete;
    WriteLock& operator=(const WriteLock&) = delete;

  private:
    FileLock& file_;
};

/// Held by `run` as long as it lives: one `run` a file.
class RunLock {
  public:
    /// Throws DatabaseError (locked) when another `run` has it. The database must exist.
    explicit RunLock(const std::filesystem::path& database);

  private:
    FileLock file_;
};

/// Held while an erasure is at work: one at a time.
class EraseLock {
  public:
    explicit EraseLock(const std::filesystem::path& database) : file_(database) {}

    /// False if another one has it, and did not end within `patience`. Throws DatabaseError.
    bool take(std::chrono::milliseconds patience) {
        return file_.lock(FileLock::Part::erase, patience);
    }

  private:
    FileLock file_;
};

}  // namespace mirror::storage

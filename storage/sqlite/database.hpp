// One SQLite file: found or made, judged, opened and closed by the rules that keep it sound.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include <SQLiteCpp/Database.h>

#include "storage/sqlite/errors.hpp"
#include "storage/sqlite/file_format.hpp"
#include "storage/sqlite/file_identity.hpp"
#include "storage/sqlite/file_lock.hpp"

namespace mirror::storage {

/// How long to wait for another writer before giving up.
inline constexpr std::chrono::milliseconds default_busy_timeout{10'000};

struct DatabaseOptions {
    std::filesystem::path path;
    FileFormat format;
    std::chrono::milliseconds busy_timeout = default_busy_timeout;
    /// Called now and then while a statement makes progress, on the thread that carries it out.
    std::function<void()> progressing;
};

/// The connection of the one thread that writes. A file that is refused is left byte for byte as
/// it was.
class Database {
  public:
    /// Makes the schema of an empty file (without a version), or brings an older one up to date.
    /// May refuse the file by an exception.
    using Prepare = std::function<void(SQLite::Database& sql, std::optional<int> version)>;

    /// Opens the file; creates it if it does not exist or is empty. `prepare` is called once,
    /// under the write lock. Throws DatabaseError, and what `prepare` throws.
    Database(DatabaseOptions options, const Prepare& prepare);

    /// Closes under the write lock, with a last checkpoint, but leaves -wal and -shm: without
    /// them a reader who may not write could not open the file. Where the lock is not to be had,
    /// the log simply stays for the next one to open the file.
    ~Database();

    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    SQLite::Database& sql() { return *sql_; }
    const std::filesystem::path& path() const { return path_; }

    /// Runs `work`, turning SQLite's exceptions into DatabaseError.
    template <typename Work>
    decltype(auto) guarded(Work&& work) {
        try {
            return work();
        } catch (const SQLite::Exception& error) {
            throw explained(error);
        }
    }

    enum class Checkpoint {
        not_needed,  ///< the log is small
        done,        ///< the log is empty now
        busy,        ///< a reader or another writer is in the way
    };

    /// Empties a log that is larger than `least_bytes`, if that can be done within a moment.
    Checkpoint truncate_log(std::uintmax_t least_bytes);

    /// Empties the log and overwrites all that is free in the file, in steps beside other writers.
    /// False if it could not for so long, since a reader needs the log. Throws DatabaseError.
    bool empty_log_and_free_space(std::chrono::milliseconds patience);

  private:
    friend class WriteTransaction;

    std::optional<std::uint64_t> overwrite_free_space(std::uint64_t first_page);

    void connect();
    void open(const Prepare& prepare);
    void refuse_if_moved();
    void checkpoint_on_close(bool wanted) noexcept;
    void refuse_if_log_moved();
    DatabaseError explained(const SQLite::Exception& error) const;

    DatabaseOptions options_;
    std::filesystem::path path_;
    FileLock lock_;
    std::unique_ptr<SQLite::Database> sql_;
    std::optional<FileIdentity> log_;  // the -wal that is open
};

/// A connection that only reads: it creates nothing, takes no lock that a writer waits for, and
/// works without permission to write. Throws DatabaseError.
SQLite::Database open_read_only(const std::filesystem::path& file, const FileFormat& format,
                                std::chrono::milliseconds busy_timeout);

}  // namespace mirror::storage

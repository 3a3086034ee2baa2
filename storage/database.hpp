// One mirror's file: found or made, judged, opened and closed by the rules that keep it sound.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include <SQLiteCpp/Database.h>

#include "core/time/instant.hpp"
#include "storage/sqlite/errors.hpp"
#include "storage/sqlite/file_lock.hpp"

namespace mirror::storage {

struct DatabaseOptions {
    std::filesystem::path path;
    std::string time_zone;  ///< IANA name; the file keeps that of its creation
    /// Optional indexes, by column: mailing, destination, profile, changed_at.
    std::set<std::string> indexes{"mailing"};
    /// How long to wait for another writer before giving up.
    std::chrono::milliseconds busy_timeout{10'000};
    /// Called now and then while a statement makes progress, on the thread that carries it out.
    std::function<void()> progressing;
};

/// Throws std::invalid_argument, naming the index, where one of them is none of ours.
void check_index_names(const std::set<std::string>& indexes);

/// The connection of the one thread that writes. A file that is refused is left byte for byte as
/// it was.
class Database {
  public:
    /// Opens the file; makes it where there is none or an empty one. Throws DatabaseError,
    /// OtherZone, std::invalid_argument.
    Database(DatabaseOptions options, Instant now);

    /// Closes under the write lock, with a last checkpoint, but leaves -wal and -shm: without
    /// them a reader who may not write could not open the file. Where the lock is not to be had,
    /// the log simply stays for the next one to open the file.
    ~Database();

    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    SQLite::Database& sql() { return *sql_; }
    const std::filesystem::path& path() const { return path_; }

    /// Creates the configured optional indexes that are missing and drops the others, inside a
    /// write transaction. Throws SQLite::Exception.
    void match_indexes();

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
        not_needed,  ///< the log is small, or the last failed attempt is too recent
        done,        ///< the log is empty now
        busy,        ///< a reader or another writer is in the way
    };

    /// Empties a log that is larger than `least_bytes`, if that can be done within a moment.
    Checkpoint truncate_log(std::uintmax_t least_bytes);

  private:
    friend class WriteTransaction;

    void connect();
    void prepare(Instant now);
    void create(Instant now);
    void refuse_if_moved();
    void checkpoint_on_close(bool wanted) noexcept;
    DatabaseError explained(const SQLite::Exception& error) const;

    DatabaseOptions options_;
    std::filesystem::path path_;
    FileLock lock_;
    std::unique_ptr<SQLite::Database> sql_;
};

/// A write transaction under the write lock. Ends without a trace unless committed.
class WriteTransaction {
  public:
    /// Throws DatabaseError (locked, or absent when the file was moved away), SQLite::Exception.
    explicit WriteTransaction(Database& database);
    ~WriteTransaction();
    WriteTransaction(const WriteTransaction&) = delete;
    WriteTransaction& operator=(const WriteTransaction&) = delete;

    /// Throws SQLite::Exception.
    void commit();

  private:
    Database& database_;
    WriteLock lock_;
};

/// A connection that only reads: it creates nothing, takes no lock that a writer waits for, and
/// works without permission to write. Throws DatabaseError.
SQLite::Database open_read_only(const std::filesystem::path& file,
                                std::chrono::milliseconds busy_timeout);

}  // namespace mirror::storage

// What is to be seen of a mirror's file from outside, for `check`; no judgement.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>

namespace mirror::storage {

/// A file or a directory.
struct Entry {
    bool exists = false;
    bool regular = false;
    mode_t mode = 0;  ///< permissions only
    uid_t owner = 0;
    gid_t group = 0;
    std::uint64_t bytes = 0;
    bool readable = false;  ///< by this process
    bool writable = false;
};

struct Inspection {
    std::filesystem::path path;  ///< without links, as far as it is there
    Entry database;
    Entry log;     ///< FILE-wal
    Entry shared;  ///< FILE-shm
    Entry lock;    ///< FILE.lock
    Entry directory;
    std::optional<std::string> not_creatable;  ///< why, and what to do; why_not_creatable()
    std::int64_t file_system = 0;              ///< its magic number, statfs(2); 0: not known
    std::optional<std::uint64_t> free_bytes;   ///< for those who are not root
    bool read_only = false;                    ///< the file system is mounted so
    bool run_lock_held = false;                ///< a `run` is at work on it
};

/// One entry, links followed.
Entry look_at(const std::filesystem::path& path);

/// Looks, changes nothing, takes no lock, and reads no content. What cannot be looked at does not
/// exist.
Inspection inspect(const std::filesystem::path& file);

/// The integrity result.
struct SoundnessReport {
    bool whole_file = false;  ///< false: only the small tables were looked at
    std::string complaint;    ///< SQLite's first one; empty: none
};

/// Lets SQLite check the structure of the file: all of it if it has at most `whole_up_to` bytes,
/// else the tables that tell what is complete. Read-only. Throws DatabaseError.
SoundnessReport check_soundness(const std::filesystem::path& file, std::uint64_t whole_up_to,
                                std::chrono::milliseconds busy_timeout);

/// SQLite's own number of the library in use: 3040001.
int sqlite_version();

}  // namespace mirror::storage

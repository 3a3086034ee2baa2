#include "daemon/check/check_file.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

#include "daemon/cli/terminal_text.hpp"
#include "daemon/process/users.hpp"

namespace mirror::daemon {
namespace {

using storage::Entry;
using storage::Inspection;

constexpr mode_t group_read = 0040;
constexpr mode_t group_write = 0020;
constexpr mode_t group_enter = 0010;
constexpr mode_t others_any = 0007;
constexpr mode_t others_enter = 0001;

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;
// The log alone may need so much.
constexpr std::uint64_t least_room = 32 * mebibyte;
constexpr std::uint64_t little_room = 256 * mebibyte;

// From statfs(2) and linux/magic.h.
struct FileSystem {
    std::int64_t magic;
    const char* name;
    enum class Kind { local, network, memory } kind;
};
constexpr std::array file_systems{
    FileSystem{0x6969, "NFS", FileSystem::Kind::network},
    FileSystem{0x517b, "SMB", FileSystem::Kind::network},
    FileSystem{0xff534d42, "CIFS", FileSystem::Kind::network},
    FileSystem{0xfe534d42, "SMB2", FileSystem::Kind::network},
    FileSystem{0x00c36400, "Ceph", FileSystem::Kind::network},
    FileSystem{0x5346414f, "AFS", FileSystem::Kind::network},
    FileSystem{0x73757245, "Coda", FileSystem::Kind::network},
    FileSystem{0x01021997, "9P", FileSystem::Kind::network},
    FileSystem{0x01161970, "GFS2", FileSystem::Kind::network},
    FileSystem{0x7461636f, "OCFS2", FileSystem::Kind::network},
    FileSystem{0x0bd00bd0, "Lustre", FileSystem::Kind::network},
    FileSystem{0x65735546, "FUSE", FileSystem::Kind::network},
    FileSystem{0x01021994, "tmpfs", FileSystem::Kind::memory},
    FileSystem{0x858458f6, "ramfs", FileSystem::Kind::memory},
    FileSystem{0xef53, "ext4", FileSystem::Kind::local},
    FileSystem{0x58465342, "XFS", FileSystem::Kind::local},
    FileSystem{0x9123683e, "Btrfs", FileSystem::Kind::local},
    FileSystem{0x2fc12fc1, "ZFS", FileSystem::Kind::local},
    FileSystem{0x794c7630, "overlayfs", FileSystem::Kind::local},
};

std::string no_file(const Inspection& seen) {
    return fmt::format("{} does not exist", seen.path.string());
}

Finding judge_database(const Inspection& seen, const Reader& reader) {
    constexpr const char* name = "database";
    if (!seen.database.exists && seen.not_creatable) {
        return found_fail(name, ExitCode::database,
                          "it cannot be created, because " + *seen.not_creatable, "");
    }
    if (!seen.directory.exists) {
        return found_fail(
            name, ExitCode::database,
            fmt::format("this user may not look into directory {}",
                        seen.path.parent_path().string()),
            "try it as the user of the service, or put the right path into [mirror] database");
    }
    if (!seen.database.exists) {
        return found_warn(name, no_file(seen), "`run` or `sync` makes it");
    }
    if (!seen.database.regular) {
        return found_fail(name, ExitCode::database,
                          fmt::format("{} is not a regular file", seen.path.string()),
                          "put the path of a file into [mirror] database");
    }
    if (!seen.database.readable) {
        return found_fail(
            name, ExitCode::database,
            fmt::format("this user may not read {} ({})", seen.path.string(),
                        owner_text(seen.database)),
            fmt::format("become a member of the group {}", group_name(seen.database.group)));
    }
    if (reader.foreign) {
        return found_fail(name, ExitCode::database, *reader.foreign, "");  // it says what to do
    }
    return found_ok(name,
                    fmt::format("{}, {} MiB", seen.path.string(), mebibytes(seen.database.bytes)));
}

Finding judge_permissions(const Inspection& seen) {
    constexpr const char* name = "permissions";
    const Entry& file = seen.database;
    if (!file.exists) {
        return not_checked(name, no_file(seen));
    }
    const std::string how = owner_text(file);
    const std::string path = seen.path.string();
    if ((file.mode & others_any) != 0) {
        return found_warn(name, how + ": everybody on this machine may use it",
                          fmt::format("it holds addresses of people: chmod o-rwx {}", path));
    }
    if ((file.mode & group_read) == 0) {
        return found_warn(
            name, how + ": its group may not read it",
            fmt::format("if others are to query it: chmod g+r {0} {0}-wal {0}-shm", path));
    }
    if ((seen.directory.mode & (group_enter | others_enter)) == 0) {
        return found_warn(name, how + ": its group may read it, but not enter its directory",
                          fmt::format("chmod g+x {}", seen.path.parent_path().string()));
    }
    return found_ok(name,
                    how + (file.writable ? "" : "; this user may only read it, which is enough"));
}

// Whether the owner of the database may write to the other file.
bool owner_may_write(const Entry& database, const Entry& other) {
    return other.owner == database.owner ||
           (other.group == database.group && (other.mode & group_write) != 0);
}

Finding judge_readers(const Inspection& seen) {
    constexpr const char* name = "readers";
    const std::string path = seen.path.string();
    if (!seen.database.exists) {
        return not_checked(name, no_file(seen));
    }
    if (!seen.log.exists || !seen.shared.exists) {
        const std::string what =
            fmt::format("{}{} is missing", path, seen.log.exists ? "-shm" : "-wal");
        if (seen.run_lock_held) {
            return found_fail(name, ExitCode::database, what + " while `run` is at work",
                              "somebody removed it: what is stored now is lost at the end; restart "
                              "the service at once, and open the file read-only only");
        }
        return found_warn(name, what + ": users who may only read cannot open the file",
                          "`run` or `sync` makes it again; a shell that opened the file for "
                          "writing removed it: open it read-only (sqlite3 -readonly), also as "
                          "root");
    }
    for (const auto& [suffix, entry] : {std::pair("-wal", &seen.log), {"-shm", &seen.shared}}) {
        if (!owner_may_write(seen.database, *entry)) {
            return found_fail(
                name, ExitCode::database,
                fmt::format("{}{} is not the database's owner's: {}", path, suffix,
                            owner_text(*entry)),
                fmt::format("stop the service; chown --reference={0} {0}{1}; start it", path,
                            suffix));
        }
        if ((seen.database.mode & group_read) != 0 &&
            ((entry->mode & group_read) == 0 || entry->group != seen.database.group)) {
            return found_warn(name,
                              fmt::format("the database's group may not read {}{}: {}", path,
                                          suffix, owner_text(*entry)),
                              fmt::format("chown --reference={0} {0}{1}; chmod --reference={0} "
                                          "{0}{1}",
                                          path, suffix));
        }
    }
    return found_ok(name, "-wal and -shm are in place");
}

Finding judge_lock(const Inspection& seen) {
    constexpr const char* name = "lock";
    const std::string path = seen.path.string() + ".lock";
    if (!seen.database.exists) {
        return not_checked(name, no_file(seen));
    }
    if (!seen.lock.exists) {
        return found_warn(name, path + " is missing",
                          "the next `run` or `sync` makes it; never remove it while one is at "
                          "work: two would write at the same moment");
    }
    if (!owner_may_write(seen.database, seen.lock)) {
        return found_fail(name, ExitCode::database,
                          fmt::format("the database's owner may not write to {}: {}", path,
                                      owner_text(seen.lock)),
                          fmt::format("chown --reference={} {}", seen.path.string(), path));
    }
    return found_ok(name, fmt::format("{}, {}", path, owner_text(seen.lock)));
}

// Whether this user is one who should write to the file.
bool is_writer(const Inspection& seen, const Reader& reader) {
    return reader.user == 0 || !seen.database.exists || reader.user == seen.database.owner;
}

Finding judge_file_system(const Inspection& seen, const Reader& reader) {
    constexpr const char* name = "file_system";
    if (seen.read_only && is_writer(seen, reader)) {
        return found_fail(name, ExitCode::database, "it is mounted read-only",
                          "mount it for writing; after an error of the disk, Linux mounts it "
                          "read-only: see dmesg");
    }
    if (seen.file_system == 0) {
        return not_checked(name, "it cannot be looked at");
    }
    const auto* const known =
        std::find_if(file_systems.begin(), file_systems.end(),
                     [&](const FileSystem& system) { return system.magic == seen.file_system; });
    if (known == file_systems.end()) {
        return found_ok(name, fmt::format("type 0x{:x}", seen.file_system));
    }
    const std::string shown = known->name;
    if (known->kind == FileSystem::Kind::network && shown == "FUSE") {
        return found_warn(name, "FUSE",
                          "make sure that it is a local disk: SQLite's log does not "
                          "work over a network");
    }
    if (known->kind == FileSystem::Kind::network) {
        return found_fail(
            name, ExitCode::database, shown + ", a network file system",
            "put the file on a local disk: SQLite's log does not work over a network, "
            "and the file would be damaged");
    }
    if (known->kind == FileSystem::Kind::memory) {
        return found_warn(name, shown + ", in memory",
                          "put the file on a disk: it is lost when the machine starts again");
    }
    return found_ok(name, shown);
}

Finding judge_room(const Inspection& seen) {
    constexpr const char* name = "free_space";
    if (!seen.free_bytes) {
        return not_checked(name, "the file system cannot be looked at");
    }
    const std::uint64_t free = *seen.free_bytes;
    const std::string how = fmt::format("{} MiB", free / mebibyte);
    if (free < least_room) {
        return found_fail(name, ExitCode::database, how + " left",
                          "make room: nothing can be stored soon, though nothing that is stored "
                          "is lost");
    }
    if (free < std::max(little_room, seen.database.bytes / 5)) {
        return found_warn(name, how + " left, which is little for this file", "make room");
    }
    return found_ok(name, how);
}

}  // namespace

const std::vector<std::string>& place_checks() {
    static const std::vector<std::string> all{"database", "permissions", "readers",
                                              "lock",     "file_system", "free_space"};
    return all;
}

Findings judge_place(const Inspection& seen, const Reader& reader) {
    if (reader.foreign) {
        Findings findings{judge_database(seen, reader)};
        for (std::size_t i = 1; i < place_checks().size(); ++i) {
            findings.push_back(not_checked(place_checks()[i], "this program cannot use the file"));
        }
        return findings;
    }
    return {judge_database(seen, reader),
            judge_permissions(seen),
            judge_readers(seen),
            judge_lock(seen),
            judge_file_system(seen, reader),
            judge_room(seen)};
}

bool may_be_read_without_a_trace(const Inspection& seen) {
    return seen.log.exists && seen.shared.exists;
}

Finding judge_sqlite(int version) {
    constexpr int without_wal_reset_bug = 3051003;  // https://www.sqlite.org/wal.html
    const std::string shown =
        fmt::format("{}.{}.{}", version / 1'000'000, version / 1000 % 1000, version % 1000);
    if (version < without_wal_reset_bug) {
        return found_ok("sqlite",
                        shown +
                            ": two writers at the same moment could damage a file (fixed in "
                            "3.51.3); this program's take turns by FILE.lock, so open the file "
                            "read-only in all others");
    }
    return found_ok("sqlite", shown);
}

Finding judge_run(const Inspection& seen) {
    return found_ok("run", seen.run_lock_held ? "a `run` keeps the file up to date"
                                              : "no `run` is at work on the file");
}

}  // namespace mirror::daemon

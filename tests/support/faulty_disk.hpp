// A disk that fails, under SQLite: the storage under test opens its files through it as usual.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>

namespace mirror::test {

/// SQLite's calls to the disk, by what they do.
enum class DiskCall : unsigned {
    open = 1U << 0U,
    read = 1U << 1U,
    write = 1U << 2U,
    truncate = 1U << 3U,
    sync = 1U << 4U,
    lock = 1U << 5U,
    shared_memory = 1U << 6U,  ///< mapping it, and its locks
    remove = 1U << 7U,
    look = 1U << 8U,  ///< is there such a file, how large is it
};

enum class DiskFailure {
    io_error,      ///< EIO
    full,          ///< ENOSPC; nothing was written
    short_write,   ///< ENOSPC after half of it was written
    busy,          ///< somebody else has the lock
    death,         ///< the process ends: from here on nothing reaches the disk
    death_within,  ///< the same in the middle of a write
    kill,          ///< SIGKILL, for a process of its own
};

/// Which call fails, and how.
struct DiskFault {
    DiskFault(std::initializer_list<DiskCall> which, std::uint64_t number, DiskFailure failure);

    unsigned calls;     ///< those that are counted, as bits
    std::uint64_t nth;  ///< from 1
    DiskFailure how;
    bool lasting = false;  ///< so do all later ones of the kind
};

/// All calls that change what is on the disk.
inline constexpr std::initializer_list<DiskCall> changing_calls = {
    DiskCall::open, DiskCall::write, DiskCall::truncate, DiskCall::sync, DiskCall::remove};

/// How much of what was not synced a power cut takes.
enum class Loss {
    all,
    some,  ///< writes at random, by sectors of 512 bytes: pages are torn
};

/// SQLite's default VFS from the first use on, in front of the real one. Safe to use from several
/// threads at once; one per process.
///
/// Not behind it: what the program opens by itself, that is the lock file, and the empty database
/// file that it makes. The shared memory file is memory, and never survives by its content.
class FaultyDisk {
  public:
    static FaultyDisk& instance();

    /// Nothing fails; calls count from zero.
    void heal();
    /// Calls count from zero, and fail as told.
    void arm(const DiskFault& fault);

    /// Whether the fault has come to pass since arm().
    bool failed() const;
    /// Whether it was a death.
    bool dead() const;
    /// How many calls of the kinds that arm() named were made since.
    std::uint64_t calls() const;

    /// From now on, what is not synced is remembered, so that it can be lost.
    void remember();
    /// The power goes, and comes back: what was not synced is gone, as told. Heals, and forgets.
    /// To be called when nobody has a file open, after a death or not.
    void lose_power(Loss loss, std::uint64_t seed);
    /// What is on the disk stays there.
    void forget();

    struct Impl;  // of the VFS, in the .cpp

  private:
    FaultyDisk();
    std::unique_ptr<Impl> impl_;
};

}  // namespace mirror::test

// How a process ends in the middle of a call to the disk, and what of its work survives.
#pragma once

#include <cstdint>

#include "tests/support/faulty_disk.hpp"

namespace mirror::faults {

struct Death {
    const char* name;
    test::DiskFailure how;
    bool power;       ///< the machine's power goes, so unsynced data is lost
    test::Loss loss;  ///< what is lost then
};

inline constexpr Death deaths[] = {
    {"kill -9 within a write", test::DiskFailure::death_within, false, test::Loss::all},
    {"power loss, nothing unsynced survives", test::DiskFailure::death, true, test::Loss::all},
    {"power loss, torn pages", test::DiskFailure::death_within, true, test::Loss::some},
};

/// The process dies at the `nth` call that changes something.
inline void arm(test::FaultyDisk& disk, const Death& death, std::uint64_t nth) {
    disk.remember();
    disk.arm(test::DiskFault(test::changing_calls, nth, death.how));
}

/// Leaves on the disk what the next process finds. False if there were fewer calls.
inline bool leave_remains(test::FaultyDisk& disk, const Death& death, std::uint64_t nth) {
    const bool dead = disk.dead();
    if (death.power) {
        disk.lose_power(death.loss, nth);
    }
    disk.heal();
    disk.forget();
    return dead;
}

}  // namespace mirror::faults

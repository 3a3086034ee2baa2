// What this process takes of the machine.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace mirror::daemon {

struct ProcessUsage {
    std::chrono::microseconds cpu_time{};
    std::uint64_t resident_bytes = 0;
    double started_unix_seconds = 0;
};

/// Nothing if the system does not tell (no /proc).
std::optional<ProcessUsage> process_usage();

}  // namespace mirror::daemon

#include "daemon/process/process_usage.hpp"

#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace mirror::daemon {
namespace {

std::chrono::microseconds as_duration(const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

// proc(5), /proc/[pid]/stat: field 22, in ticks since the machine started. The second field, the
// program's name in parentheses, may hold spaces.
std::optional<double> start_in_ticks() {
    std::ifstream file("/proc/self/stat");
    file.ignore(std::numeric_limits<std::streamsize>::max(), ')');
    constexpr int field_behind_name = 3;
    constexpr int field_of_start = 22;
    std::string skipped;
    for (int field = field_behind_name; field < field_of_start; ++field) {
        file >> skipped;
    }
    double ticks = 0;
    return file >> ticks ? std::optional(ticks) : std::nullopt;
}

std::optional<double> boot_unix_seconds() {
    std::ifstream file("/proc/stat");
    for (std::string line; std::getline(file, line);) {
        double seconds = 0;
        if (line.starts_with("btime ") && (std::istringstream(line.substr(6)) >> seconds)) {
            return seconds;
        }
    }
    return std::nullopt;
}

std::optional<std::uint64_t> resident_pages() {
    std::ifstream file("/proc/self/statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    return file >> size >> resident ? std::optional(resident) : std::nullopt;
}

}  // namespace

std::optional<ProcessUsage> process_usage() {
    const auto start = start_in_ticks();
    const auto boot = boot_unix_seconds();
    const auto pages = resident_pages();
    rusage used{};
    if (!start || !boot || !pages || getrusage(RUSAGE_SELF, &used) != 0) {
        return std::nullopt;
    }
    ProcessUsage usage;
    usage.cpu_time = as_duration(used.ru_utime) + as_duration(used.ru_stime);
    usage.resident_bytes = *pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    usage.started_unix_seconds = *boot + *start / static_cast<double>(sysconf(_SC_CLK_TCK));
    return usage;
}

}  // namespace mirror::daemon

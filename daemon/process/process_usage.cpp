#include "daemon/process/process_usage.hpp"

#include <ctime>
#include <fstream>
#include <limits>
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

double seconds_of(clockid_t clock) {
    constexpr double nanosecond = 1e-9;
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + nanosecond * static_cast<double>(time.tv_nsec);
}

// Not from /proc/stat, which the unit's ProcSubset=pid hides. The same each time, though a clock
// that is corrected bit by bit gives another difference: alerts take a change for another start.
double boot_unix_seconds() {
    static const double boot = seconds_of(CLOCK_REALTIME) - seconds_of(CLOCK_BOOTTIME);
    return boot;
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
    const auto pages = resident_pages();
    rusage used{};
    if (!start || !pages || getrusage(RUSAGE_SELF, &used) != 0) {
        return std::nullopt;
    }
    ProcessUsage usage;
    usage.cpu_time = as_duration(used.ru_utime) + as_duration(used.ru_stime);
    usage.resident_bytes = *pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    usage.started_unix_seconds =
        boot_unix_seconds() + *start / static_cast<double>(sysconf(_SC_CLK_TCK));
    return usage;
}

}  // namespace mirror::daemon

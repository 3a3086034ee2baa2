#include "daemon/status/status_command.hpp"

#include <algorithm>
#include <ostream>

#include "daemon/status/status.hpp"
#include "storage/status_reader.hpp"

namespace mirror::daemon {

namespace {

Seconds last_age(const Config& config) {
    Seconds last{0};
    for (const Seconds age : config.mirror.recheck_ages) {
        last = std::max(last, age);
    }
    return last;
}

}  // namespace

ExitCode show_status(const CommandLine& line, const Config& config,
                     const Environment& environment) {
    storage::StatusOptions options;
    options.path = config.mirror.database;
    const storage::FileStatus file = storage::read_status(options);
    const Status status = assess(file, environment.clock.utc());
    if (line.json) {
        environment.out << status_json(status) << std::flush;
    } else {
        const Zone zone(status.time_zone.empty() ? config.api.time_zone : status.time_zone);
        environment.out << status_text(status, zone, last_age(config)) << std::flush;
    }
    if (line.max_lag && (!status.lag || *status.lag > *line.max_lag)) {
        return ExitCode::not_whole;
    }
    return ExitCode::done;
}

}  // namespace mirror::daemon

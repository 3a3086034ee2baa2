#include "daemon/status/status_command.hpp"

#include <algorithm>
#include <ostream>

#include "daemon/config/stream_choice.hpp"
#include "daemon/status/next_step.hpp"
#include "daemon/status/status_json.hpp"
#include "daemon/status/status_text.hpp"
#include "storage/inspection.hpp"
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

ExitCode show_status(const CommandLine& line, const Config& config, const Environment& environment,
                     spdlog::logger& log) {
    storage::StatusOptions options;
    options.path = config.mirror.database;
    const storage::FileStatus file = storage::read_status(options);
    const Statuses all =
        assess_all(file, streams_named(config.mirror.streams), environment.clock.utc());
    const Status& worst = worst_of(all);
    if (line.json) {
        environment.out << status_json(all) << std::flush;
    } else {
        const Zone zone(worst.time_zone.empty() ? config.api.time_zone : worst.time_zone);
        environment.out << status_text(all, zone, last_age(config));
        const Operation operation{storage::inspect(config.mirror.database).run_lock_held,
                                  last_age(config),
                                  invocation_of(line, environment.default_config)};
        if (const auto next = next_step(all, operation)) {
            environment.out << "next          " << *next << "\n";
        }
        environment.out << std::flush;
    }
    const auto too_far = line.max_lag ? why_too_far_behind(all, *line.max_lag) : std::nullopt;
    if (too_far) {
        log.error("{}", *too_far);
        return ExitCode::not_whole;
    }
    return ExitCode::done;
}

}  // namespace mirror::daemon

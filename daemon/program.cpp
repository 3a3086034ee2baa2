#include "daemon/program.hpp"

#include <exception>
#include <memory>
#include <optional>
#include <ostream>
#include <stdexcept>

#include <fmt/format.h>
#include <spdlog/logger.h>

#include "core/sync/observer.hpp"
#include "core/time/text.hpp"
#include "core/time/zone.hpp"
#include "core/time/zone_self_check.hpp"
#include "core/util/printable.hpp"
#include "daemon/check/check_command.hpp"
#include "daemon/cli/command_line.hpp"
#include "daemon/cli/point_in_time.hpp"
#include "daemon/cli/version_text.hpp"
#include "daemon/commands/audit_command.hpp"
#include "daemon/commands/erase_command.hpp"
#include "daemon/commands/estimate_command.hpp"
#include "daemon/commands/mirror_command.hpp"
#include "daemon/commands/snapshot_command.hpp"
#include "daemon/config/config.hpp"
#include "daemon/config/stream_choice.hpp"
#include "daemon/config/token_text.hpp"
#include "daemon/error_exit.hpp"
#include "daemon/log/logging.hpp"
#include "daemon/metrics/metrics_file.hpp"
#include "daemon/process/usage_error.hpp"
#include "daemon/report/report_command.hpp"
#include "daemon/status/status_command.hpp"
#include "storage/mirror_files.hpp"

namespace mirror::daemon {
namespace {

constexpr std::size_t longest_message = 4000;

// While this process has one thread. `status` shows what the file says, whatever the zone.
void require_sound_zone(const std::string& name) {
    if (const auto differs = zone_differs_from_libc(Zone(name))) {
        throw UsageError(*differs);
    }
}

void refuse_what_is_no_file(const std::filesystem::path& database) {
    const std::string name = database.string();
    const std::string last = database.filename().string();
    if (last.empty() || last == ":memory:" || name.starts_with("file:")) {
        throw UsageError(fmt::format(
            "the database must be a file, and \"{}\" is not the name of one; give a path such as "
            "/var/lib/copernica-mirror/impressions.db to --database or [mirror] database",
            name));
    }
}

// What asks the file alone, whatever the API and this machine's clock are like.
bool only_reads_the_file(Command command) {
    return command == Command::status || command == Command::snapshot || command == Command::report;
}

bool fetches(Command command) {
    return !only_reads_the_file(command) && command != Command::erase;
}

// `run` may start while this machine's clock is wrong, and be right when the API's is known.
void judge_start(const std::string& key, LocalTime start, Command command, Instant now,
                 Config& config) {
    const Zone zone(config.api.time_zone);
    if (zone.earliest(start) > now) {
        const std::string what =
            fmt::format("{} {} is in the future: it is {} in {}", key, format_local(start),
                        format_local(zone.to_local(now)), zone.name());
        if (command != Command::run) {
            throw UsageError(what + "; name an earlier time");
        }
        config.warnings.push_back(what +
                                  " by this machine's clock; nothing is fetched before "
                                  "the API's clock is past it");
    }
    if (auto note = clock_change_note(key, start, true, zone)) {
        config.warnings.push_back(std::move(*note));
    }
}

// Of all streams, and of each that has its own.
void judge_starts(Command command, Config& config, Instant now) {
    if (!fetches(command)) {
        return;
    }
    if (config.mirror.start) {
        judge_start(config.name_of("[mirror] start"), *config.mirror.start, command, now, config);
    }
    for (const std::string& name : config.mirror.streams) {
        if (const std::optional<LocalTime> own = config.of_stream(name).start) {
            judge_start(config.name_of(fmt::format("[streams.{}] start", name)), *own, command, now,
                        config);
        }
    }
}

Config effective_config(const CommandLine& line, const Environment& environment) {
    Config config;
    std::error_code ignored;
    if (line.config) {
        config = read_config(*line.config);
    } else if (std::filesystem::exists(environment.default_config, ignored)) {
        config = read_config(environment.default_config);
    }
    if (line.database) {
        config.mirror.database = *line.database;
    }
    if (line.api_url) {
        config.api.url = *line.api_url;
        config.names["[api] url"] = "--api-url";
    }
    if (line.log_level) {
        config.log.level = *line.log_level;
    }
    if (line.log_format) {
        config.log.format = *line.log_format;
    }
    refuse_what_is_no_file(config.mirror.database);
    judge_starts(line.command, config, environment.clock.utc());
    return config;
}

Config checked_config(const CommandLine& line, const Environment& environment) {
    Config config = effective_config(line, environment);
    if (!only_reads_the_file(line.command)) {
        require_sound_zone(config.api.time_zone);
    }
    return config;
}

bool sends_the_token(Command command) {
    return fetches(command) && command != Command::check;
}

// Who can change the configuration can have the token sent to themselves.
void judge_trust(const CommandLine& line, const Config& config, const Environment& environment,
                 spdlog::logger& log) {
    if (!config.untrusted || !sends_the_token(line.command)) {
        return;
    }
    const std::string what = fmt::format(
        "the configuration says to which server the token goes, and {}", *config.untrusted);
    if (environment.is_root()) {
        throw UsageError(what);
    }
    log.warn("{}", printable(what, longest_message));
}

ExitCode run_command(const CommandLine& line, const Config& config, const Environment& environment,
                     const std::shared_ptr<spdlog::logger>& log, sync::Observer* metrics) {
    switch (line.command) {
        case Command::status:
            return show_status(line, config, environment, *log);
        case Command::run:
            return run_mirror(line, config, environment, log,
                              [&] { return effective_config(line, environment); });
        case Command::audit:
            return audit_mirror(line, config, environment, log, metrics);
        case Command::sync:
        case Command::backfill:
            if (line.estimate) {
                return print_estimate(line, config, environment, log);
            }
            return mirror_once(line, config, environment, log, metrics);
        case Command::snapshot:
            return take_snapshot(line, config, environment);
        case Command::erase:
            return erase_records(line, config, environment, *log);
        case Command::report:
            return write_report(line, config, environment);
        case Command::check:
            break;  // run_program() has run it: it does without the configuration if that is wrong
    }
    throw std::logic_error("unknown command");
}

// How far a run of the program has come, for what is said at its end.
struct Course {
    std::shared_ptr<spdlog::logger> log;
    std::optional<MetricsFile> metrics;
};

ExitCode execute(const std::vector<std::string>& arguments, const Environment& environment,
                 Course& course) {
    const ParsedCommandLine parsed =
        parse_command_line(arguments, version_text(environment.commit));
    if (parsed.text) {
        environment.out << *parsed.text << std::flush;
        return ExitCode::done;
    }
    const CommandLine& line = parsed.command_line;
    // As far as it is known before the configuration is read, which may fail.
    LogOptions options;
    options.format = line.log_format.value_or(options.format);
    options.quiet = line.quiet;
    course.log = make_logger(environment, options);
    if (line.command == Command::check) {
        return check(line, environment, [&] { return checked_config(line, environment); });
    }
    if (line.metrics_file) {
        course.metrics.emplace(*line.metrics_file);
    }
    const Config config = checked_config(line, environment);
    options.level = config.log.level;
    options.format = config.log.format;
    course.log = make_logger(environment, options);
    for (const std::string& warning : config.warnings) {
        course.log->warn("{}", printable(warning, longest_message));
    }
    judge_trust(line, config, environment, *course.log);
    if (line.metrics_file && storage::is_of_mirror(config.mirror.database, *line.metrics_file)) {
        course.metrics.reset();
        throw UsageError(
            fmt::format("--metrics-file {}: it belongs to the mirror; name another file",
                        line.metrics_file->string()));
    }
    if (course.metrics) {
        course.metrics->set_database(config.mirror.database, streams_named(config.mirror.streams));
    }
    return run_command(line, config, environment, course.log,
                       course.metrics ? &course.metrics->metrics() : nullptr);
}

}  // namespace

ExitCode run_program(const std::vector<std::string>& arguments, const Environment& environment) {
    Course course;
    course.log = make_logger(environment, LogOptions{});
    ExitCode code = ExitCode::done;
    try {
        code = execute(arguments, environment, course);
    } catch (const std::exception& error) {
        course.log->error("{}", without_tokens(message_of(error), arguments));
        code = exit_code_of(error);
    }
    if (!environment.out) {
        course.log->error(
            "standard output could not be written, so the result is not whole: is the disk full?");
        code = code == ExitCode::done ? ExitCode::internal : code;
    }
    if (course.metrics) {
        course.metrics->write(code, environment.clock, *course.log);
    }
    return code;
}

}  // namespace mirror::daemon

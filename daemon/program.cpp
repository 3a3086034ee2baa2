#include "daemon/program.hpp"

#include <exception>
#include <memory>
#include <optional>
#include <ostream>

#include <spdlog/logger.h>

#include "core/api/printable.hpp"
#include "core/sync/errors.hpp"
#include "core/time/zone.hpp"
#include "daemon/audit_command.hpp"
#include "daemon/check_command.hpp"
#include "daemon/command_line.hpp"
#include "daemon/config.hpp"
#include "daemon/logging.hpp"
#include "daemon/mirror_command.hpp"
#include "daemon/status_command.hpp"
#include "daemon/usage_error.hpp"
#include "daemon/version_text.hpp"
#include "storage/errors.hpp"

namespace mirror::daemon {
namespace {

constexpr std::size_t longest_message = 4000;

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
    }
    if (line.log_level) {
        config.log.level = *line.log_level;
    }
    if (line.log_format) {
        config.log.format = *line.log_format;
    }
    return config;
}

ExitCode run_command(const CommandLine& line, const Config& config, const Environment& environment,
                     const std::shared_ptr<spdlog::logger>& log) {
    switch (line.command) {
        case Command::status:
            return show_status(line, config, environment);
        case Command::run:
            return run_mirror(line, config, environment, log);
        case Command::audit:
            return audit_mirror(line, config, environment, log);
        case Command::check:  // does without the configuration where it is wrong
        case Command::sync:
        case Command::backfill:
            break;
    }
    return mirror_once(line, config, environment, log);
}

}  // namespace

ExitCode run_program(const std::vector<std::string>& arguments, const Environment& environment) {
    auto log = make_logger(environment, LogOptions{});
    const auto failed = [&](ExitCode code, const std::exception& error) {
        // Accounts' names and the API's words may be in it.
        log->error("{}", api::printable(error.what(), longest_message));
        return code;
    };
    try {
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
        log = make_logger(environment, options);
        if (line.command == Command::check) {
            return check(line, environment, [&] { return effective_config(line, environment); });
        }
        const Config config = effective_config(line, environment);
        options.level = config.log.level;
        options.format = config.log.format;
        log = make_logger(environment, options);
        return run_command(line, config, environment, log);
    } catch (const UsageError& error) {
        return failed(ExitCode::usage, error);
    } catch (const UnknownZone& error) {
        return failed(ExitCode::usage, error);
    } catch (const sync::WrongZone& error) {
        return failed(ExitCode::usage, error);
    } catch (const storage::OtherZone& error) {
        return failed(ExitCode::usage, error);
    } catch (const sync::TokenRefused& error) {
        return failed(ExitCode::token, error);
    } catch (const storage::OtherAccount& error) {
        return failed(ExitCode::token, error);
    } catch (const storage::DatabaseError& error) {
        return failed(ExitCode::database, error);
    } catch (const std::exception& error) {
        return failed(ExitCode::api, error);
    }
}

}  // namespace mirror::daemon

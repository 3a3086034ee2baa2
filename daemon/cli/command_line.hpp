// The command line, as a value.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/time/instant.hpp"
#include "core/util/ip_address.hpp"
#include "daemon/cli/point_in_time.hpp"

namespace mirror::daemon {

enum class Command { run, sync, backfill, audit, status, check, snapshot, erase, report };

struct CommandLine {
    Command command = Command::sync;

    std::optional<std::filesystem::path> config;
    std::optional<std::filesystem::path> database;
    std::optional<std::string> api_url;
    std::optional<std::filesystem::path> token_file;
    std::optional<std::string> log_level;
    std::optional<std::string> log_format;
    bool quiet = false;

    // sync, backfill, audit
    std::optional<std::filesystem::path> metrics_file;
    // These, and erase: names of streams that there are; none: all configured, or all there are.
    std::vector<std::string> streams;

    // backfill (which has `from` always), audit, report
    std::optional<PointInTime> from;
    std::optional<PointInTime> to;

    // sync, backfill
    bool estimate = false;

    // backfill
    bool force = false;

    // audit
    bool statistics = false;  ///< without the four that follow
    bool repair = false;
    bool prune = false;
    bool before_horizon = false;
    bool yes = false;

    // audit, status, check
    bool json = false;

    // status
    std::optional<Seconds> max_lag;

    // erase, which has at least one of them
    std::vector<std::int64_t> profiles;
    std::vector<std::int64_t> destinations;
    std::vector<IpAddress> addresses;
    std::vector<PointInTime> before;
    bool dry_run = false;

    // snapshot, which has it always
    std::filesystem::path snapshot;

    // report
    std::optional<std::filesystem::path> output;  ///< nothing: standard output
};

/// The result of parsing: a command, or a text to print and be done (help, version).
struct ParsedCommandLine {
    CommandLine command_line;
    std::optional<std::string> text;
};

/// `arguments` without the program's name; `version_text` is what --version prints. Throws
/// UsageError.
ParsedCommandLine parse_command_line(const std::vector<std::string>& arguments,
                                     const std::string& version_text);

}  // namespace mirror::daemon

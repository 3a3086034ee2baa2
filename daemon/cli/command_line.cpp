#include "daemon/cli/command_line.hpp"

#include <algorithm>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "daemon/config/config.hpp"
#include "daemon/config/units.hpp"
#include "daemon/process/usage_error.hpp"

namespace mirror::daemon {
namespace {

LocalTime time_option(const char* name, const std::string& text) {
    const auto time = parse_time(text);
    if (!time) {
        throw UsageError(fmt::format(
            "{}: \"{}\" is not a time; it takes YYYY-MM-DD or \"YYYY-MM-DD HH:MM:SS\", in the "
            "account's zone",
            name, text));
    }
    return *time;
}

void read_period(const CLI::App& command, const std::string& from, const std::string& to,
                 CommandLine& line) {
    if (command.count("--from") > 0) {
        line.from = time_option("--from", from);
    }
    if (command.count("--to") > 0) {
        line.to = time_option("--to", to);
    }
    if (line.from && line.to && *line.from >= *line.to) {
        throw UsageError("--from must be before --to");
    }
}

// A mistyped command is left over, and would be told of only as one that is missing.
std::string what_is_wrong(const CLI::App& app, const CLI::ParseError& error) {
    if (!app.get_subcommands().empty()) {
        return error.what();
    }
    for (const std::string& word : app.remaining()) {
        if (!word.starts_with('-')) {
            return fmt::format("there is no command \"{}\"", word);
        }
    }
    return error.what();
}

}  // namespace

ParsedCommandLine parse_command_line(const std::vector<std::string>& arguments,
                                     const std::string& version_text) {
    CLI::App app(
        "Keeps a SQLite file equal to the impressions (mail opens) of a Copernica Marketing Suite "
        "account.",
        "copernica-mirror");
    app.set_version_flag("--version", version_text,
                         "Print the versions of the program, its libraries and the file's schema");
    app.set_help_flag("-h,--help", "Print this help");
    app.set_help_all_flag("--help-all", "Print the help of all commands");
    app.fallthrough();  // options may stand behind the command, too
    app.require_subcommand(1);
    app.footer(
        "The token comes from --token-file, [api] token_file, the systemd credential\n"
        "access_token or $COPERNICA_ACCESS_TOKEN, whichever is there first.\n"
        "\n"
        "Exit codes: 0 done; 1 the API could not be reached, kept failing or refused the\n"
        "request; 2 usage, configuration, no token; 3 the token was refused, or belongs to\n"
        "another account; 4 the database; 5 something is not whole; 130, 143 stopped.");

    CommandLine line;
    app.add_option("-c,--config", line.config,
                   "Configuration file (default: /etc/copernica-mirror/config.toml, if there)")
        ->type_name("FILE");
    app.add_option("-d,--database", line.database, "The SQLite file")->type_name("FILE");
    app.add_option("--api-url", line.api_url, "The API's base URL")->type_name("URL");
    app.add_option("--token-file", line.token_file, "File with the access token")
        ->type_name("FILE");
    app.add_option("--log-level", line.log_level, "trace, debug, info, warning or error")
        ->type_name("LEVEL")
        ->check(CLI::IsMember(log_levels()));
    app.add_option("--log-format", line.log_format, "text or json")
        ->type_name("FORMAT")
        ->check(CLI::IsMember(log_formats()));
    app.add_flag("-q,--quiet", line.quiet, "No progress, and no log but warnings and errors");

    CLI::App* const run =
        app.add_subcommand("run", "Keep the mirror up to date until told to stop");
    CLI::App* const sync = app.add_subcommand("sync", "Bring the mirror up to date once");

    std::string from;
    std::string to;
    CLI::App* const backfill = app.add_subcommand("backfill", "Fetch a past period");
    backfill->add_option("--from", from, "Begin of the period, included, in the account's zone")
        ->type_name("T")
        ->required();
    backfill->add_option("--to", to, "End of the period, not included (default: now)")
        ->type_name("T");
    backfill->add_flag("--force", line.force, "Fetch again what is covered");
    backfill->footer("T is YYYY-MM-DD or \"YYYY-MM-DD HH:MM:SS\".");

    CLI::App* const audit =
        app.add_subcommand("audit", "Compare counts with the API, and put right what differs");
    audit->add_option("--from", from, "Begin of the period (default: of what is covered)")
        ->type_name("T");
    audit->add_option("--to", to, "End of the period, not included (default: of what is covered)")
        ->type_name("T");
    CLI::Option* const repair =
        audit->add_flag("--repair", line.repair, "Fetch again the places that differ");
    CLI::Option* const prune =
        audit
            ->add_flag("--prune", line.prune,
                       "Delete the rows there that the API does not show any more")
            ->needs(repair);
    audit
        ->add_flag("--before-horizon", line.before_horizon,
                   "With --prune: also delete what is older than all that the API shows")
        ->needs(prune);
    audit->add_flag("--json", line.json, "As one JSON object");
    audit->footer("T is YYYY-MM-DD or \"YYYY-MM-DD HH:MM:SS\".");

    for (CLI::App* const command : {sync, backfill, audit}) {
        command
            ->add_option("--metrics-file", line.metrics_file,
                         "Write metrics there at the end, for node_exporter's textfile collector")
            ->type_name("FILE");
    }
    // Not shown: it is there for its error.
    run->add_option("--metrics-file", line.metrics_file)->group("");

    std::string max_lag;
    CLI::App* const status =
        app.add_subcommand("status", "What the file holds, how far it is complete, what is wrong");
    status->add_flag("--json", line.json, "As one JSON object");
    status
        ->add_option("--max-lag", max_lag,
                     "End with 5 where the mirror is further behind, such as 10m")
        ->type_name("D");
    status->footer("D is a whole number and s, m, h or d.");

    CLI::App* const check =
        app.add_subcommand("check", "Try configuration, token, TLS, clock, file; say what to do");
    check->add_flag("--json", line.json, "As one JSON object");

    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    try {
        app.parse(reversed);
    } catch (const CLI::CallForVersion&) {
        return {line, version_text};
    } catch (const CLI::CallForAllHelp&) {
        return {line, app.help("", CLI::AppFormatMode::All)};
    } catch (const CLI::CallForHelp&) {
        const auto asked = app.get_subcommands();
        return {line, asked.empty() ? app.help() : asked.front()->help("copernica-mirror")};
    } catch (const CLI::ParseError& error) {
        throw UsageError(what_is_wrong(app, error) + "; see copernica-mirror --help");
    }

    if (run->parsed()) {
        line.command = Command::run;
        if (line.metrics_file) {
            throw UsageError(
                "--metrics-file is for sync, backfill and audit, which end; run serves its metrics "
                "while it runs: set [metrics] listen in the configuration");
        }
    }
    if (sync->parsed()) {
        line.command = Command::sync;
    }
    if (backfill->parsed()) {
        line.command = Command::backfill;
        read_period(*backfill, from, to, line);
    }
    if (audit->parsed()) {
        line.command = Command::audit;
        read_period(*audit, from, to, line);
    }
    if (check->parsed()) {
        line.command = Command::check;
    }
    if (status->parsed()) {
        line.command = Command::status;
        if (status->count("--max-lag") > 0) {
            line.max_lag = parse_duration(max_lag);
            if (!line.max_lag) {
                throw UsageError(fmt::format(
                    "--max-lag: \"{}\" is not a duration; it takes a whole number and s, m, h or d",
                    max_lag));
            }
        }
    }
    return {line, std::nullopt};
}

}  // namespace mirror::daemon

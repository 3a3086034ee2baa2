#include "daemon/cli/command_line.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/util/decimal.hpp"
#include "core/util/nearest_word.hpp"
#include "daemon/cli/usage_text.hpp"
#include "daemon/config/config.hpp"
#include "daemon/config/stream_choice.hpp"
#include "daemon/config/units.hpp"
#include "daemon/process/usage_error.hpp"

namespace mirror::daemon {
namespace {

constexpr const char* token_and_exit_codes =
    "The token comes from --token-file, [api] token_file, the systemd credential\n"
    "access_token or $COPERNICA_ACCESS_TOKEN, whichever is found first.\n"
    "\n"
    "Exit codes: 0 done; 1 the API could not be reached, kept failing or refused the\n"
    "request; 2 usage, configuration, no token; 3 the token was refused, or belongs to\n"
    "another account; 4 the database; 5 something is not whole; 70 an error of the\n"
    "program; 130, 143 stopped.\n"
    "\n"
    "Examples:\n"
    "  copernica-mirror check                       what is missing or wrong\n"
    "  copernica-mirror sync                        bring the mirror up to date once\n"
    "  copernica-mirror help backfill               the options of one command";

constexpr const char* times =
    "T is YYYY-MM-DD or \"YYYY-MM-DD HH:MM:SS\" in the account's zone, today, yesterday,\n"
    "how long ago (7d, 12h), or ISO 8601 (2026-11-23T16:00:00Z).";

// A value as it was written.
struct Texts {
    std::string from;
    std::string to;
    std::string max_lag;
    std::vector<std::string> profiles;
    std::vector<std::string> destinations;
    std::vector<std::string> addresses;
    std::vector<std::string> before;
    std::string help_for;
};

// CLI11 leaves several empty lines where a group of options is hidden or a footer is absent.
std::string without_gaps(const std::string& text) {
    std::string without;
    for (const char c : text) {
        if (c != '\n' || !without.ends_with("\n\n")) {
            without += c;
        }
    }
    return without.ends_with("\n\n") ? without.substr(0, without.size() - 1) : without;
}

// The parser and what it fills.
class Parser {
  public:
    explicit Parser(const std::string& version_text) : version_text_(version_text) {
        app_.fallthrough();  // options may stand behind the command, too
        app_.require_subcommand(1);
        app_.footer(token_and_exit_codes);
        add_general();
        add_run();
        add_sync();
        add_backfill();
        add_audit();
        add_status();
        add_check();
        add_snapshot();
        add_erase();
        add_report();
        add_texts();
        for (CLI::App* const command : app_.get_subcommands({})) {
            command->footer(general_options() + "\n" + footers_[command->get_name()]);
        }
        general_help_ = app_.help();  // after parsing, it would be that of the command
    }

    ParsedCommandLine parse(const std::vector<std::string>& arguments) {
        std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
        try {
            app_.parse(reversed);
        } catch (const CLI::CallForVersion&) {
            return {line_, version_text_};
        } catch (const CLI::CallForAllHelp&) {
            return {line_, app_.help("", CLI::AppFormatMode::All)};
        } catch (const CLI::CallForHelp&) {
            const auto chosen = app_.get_subcommands();
            return {line_, chosen.empty() ? general_help_ : help(*chosen.front())};
        } catch (const CLI::ParseError& error) {
            throw UsageError(usage_text(app_, error));
        }
        return parsed();
    }

  private:
    void add_general() {
        app_.set_version_flag("-V,--version", version_text_,
                              "Print the versions of the program, its libraries and the file's "
                              "schema");
        app_.set_help_flag("-h,--help", "Print this help");
        app_.set_help_all_flag("--help-all", "Print the help of all commands");
        app_.add_option("-c,--config", line_.config,
                        "Configuration file (default: /etc/copernica-mirror/config.toml, if there)")
            ->type_name("FILE");
        app_.add_option("-d,--database", line_.database, "The SQLite file")->type_name("FILE");
        app_.add_option("--api-url", line_.api_url, "The API's base URL")->type_name("URL");
        app_.add_option("--token-file", line_.token_file, "File with the access token")
            ->type_name("FILE");
        app_.add_option("--log-level", line_.log_level, "trace, debug, info, warning or error")
            ->type_name("LEVEL");
        app_.add_option("--log-format", line_.log_format, "text or json")->type_name("FORMAT");
        app_.add_flag("-q,--quiet", line_.quiet, "No progress, and no log but warnings and errors");
    }

    CLI::App* add(const char* name, Command command, const char* what, std::string footer) {
        commands_[name] = command;
        footers_[name] = std::move(footer);
        return app_.add_subcommand(name, what);
    }

    void add_run() {
        CLI::App* const run =
            add("run", Command::run, "Keep the mirror up to date until told to stop",
                "Examples:\n"
                "  copernica-mirror run\n"
                "  copernica-mirror run --config shop.toml --log-format json");
        // Not shown: it is there for its error.
        run->add_option("--metrics-file", line_.metrics_file)->group("");
    }

    void add_sync() {
        CLI::App* const sync = add("sync", Command::sync, "Bring the mirror up to date once",
                                   "Examples:\n"
                                   "  copernica-mirror sync\n"
                                   "  copernica-mirror sync --estimate\n"
                                   "  copernica-mirror sync -d opens.db --token-file token");
        add_streams(sync);
        add_estimate(sync);
        add_metrics_file(sync);
    }

    void add_backfill() {
        CLI::App* const backfill =
            add("backfill", Command::backfill, "Fetch a past period",
                std::string(times) +
                    "\n\n"
                    "Examples:\n"
                    "  copernica-mirror backfill --from 2024-01-01 --to 2025-01-01\n"
                    "  copernica-mirror backfill --from 7d --force");
        add_period(*backfill, "Begin of the period, included", "(default: now)");
        backfill->get_option("--from")->required();
        backfill->add_flag("--force", line_.force, "Fetch again what is covered");
        add_streams(backfill);
        add_estimate(backfill);
        add_metrics_file(backfill);
    }

    void add_audit() {
        CLI::App* const audit =
            add("audit", Command::audit,
                "Compare counts with the API; with --repair, put right what differs",
                std::string(times) +
                    "\n\n"
                    "Examples:\n"
                    "  copernica-mirror audit --from yesterday\n"
                    "  copernica-mirror audit --repair\n"
                    "  copernica-mirror audit --statistics --from 30d");
        add_period(*audit, "Begin of the period (default: of what is covered)",
                   "(default: of what is covered)");
        // The first, so that what it excludes is said before what the others need.
        CLI::Option* const statistics = audit->add_flag(
            "--statistics", line_.statistics,
            "Compare each mailing with the API's statistics instead; change nothing");
        CLI::Option* const repair =
            audit->add_flag("--repair", line_.repair, "Fetch again the places that differ");
        CLI::Option* const prune =
            audit
                ->add_flag("--prune", line_.prune,
                           "Delete the rows there that the API no longer returns")
                ->needs(repair);
        CLI::Option* const before_horizon =
            audit
                ->add_flag("--before-horizon", line_.before_horizon,
                           "With --prune: also delete what is older than all that the API shows")
                ->needs(prune);
        CLI::Option* const yes =
            audit
                ->add_flag("--yes", line_.yes,
                           "With --prune: even if that is a large share of the rows")
                ->needs(prune);
        for (CLI::Option* const changing : {repair, prune, before_horizon, yes}) {
            statistics->excludes(changing);
        }
        audit->add_flag("--json", line_.json, "As one JSON object");
        add_streams(audit);
        add_metrics_file(audit);
    }

    void add_status() {
        CLI::App* const status = add(
            "status", Command::status, "What the file holds, how far it is complete, what is wrong",
            "D is a whole number and s, m, h or d.\n\n"
            "Examples:\n"
            "  copernica-mirror status\n"
            "  copernica-mirror status --max-lag 10m || echo \"too far behind\"");
        status->add_flag("--json", line_.json, "As one JSON object");
        status
            ->add_option("--max-lag", texts_.max_lag,
                         "End with 5 if the mirror is further behind, for example 10m")
            ->type_name("D");
    }

    void add_check() {
        CLI::App* const check = add(
            "check", Command::check, "Try configuration, token, TLS, clock, file; say what to do",
            "Examples:\n"
            "  copernica-mirror check\n"
            "  copernica-mirror check --token-file /etc/copernica-mirror/access_token");
        check->add_flag("--json", line_.json, "As one JSON object");
    }

    void add_snapshot() {
        add("snapshot", Command::snapshot, "Copy the file as it is now, also beside run",
            "Examples:\n"
            "  copernica-mirror snapshot /backup/impressions.db")
            ->add_option("FILE", line_.snapshot, "The copy; replaced as a whole if it exists")
            ->required();
    }

    void add_erase() {
        CLI::App* const erase = add(
            "erase", Command::erase, "Delete what names a person, or is old, for good",
            "At least one of --profile, --destination, --ip and --before. They may be repeated\n"
            "and are alternatives: what matches any of them is erased.\n" +
                std::string(times) +
                "\n\n"
                "Examples:\n"
                "  copernica-mirror erase --profile 13453 --dry-run\n"
                "  copernica-mirror erase --profile 13453 --ip 192.0.2.7\n"
                "  copernica-mirror erase --before 2024-01-01 --stream clicks");
        const auto add_values = [erase](const char* name, std::vector<std::string>& values,
                                        const char* what, const char* type) {
            erase->add_option(name, values, what)->type_name(type)->allow_extra_args(false);
        };
        add_values("--profile", texts_.profiles, "Records of this profile", "ID");
        add_values("--destination", texts_.destinations, "Records of this destination", "ID");
        add_values("--ip", texts_.addresses, "Records with this IP address", "ADDRESS");
        add_values("--before", texts_.before, "Records that are older", "T");
        add_streams(erase, "all in the file");
        erase->add_flag("--dry-run", line_.dry_run, "Print how many there are; erase nothing");
    }

    void add_report() {
        CLI::App* const report =
            add("report", Command::report, "Numbers and charts of a period, as one HTML file",
                std::string(times) +
                    "\n\n"
                    "Examples:\n"
                    "  copernica-mirror report -o report.html\n"
                    "  copernica-mirror report --from 2026-01-01 --to 2026-04-01 >quarter.html");
        add_period(*report, "First day (default: 30 days before the end)",
                   "(default: the end of today)");
        report
            ->add_option("-o,--output", line_.output,
                         "The file; replaced as a whole (default: standard output)")
            ->type_name("FILE");
    }

    // They print a text, as the options --help and --version do.
    void add_texts() {
        app_.add_subcommand("help", "Print the help, of one command if it is named")
            ->add_option("COMMAND", texts_.help_for, "The command");
        app_.add_subcommand("version", "Print the versions, as --version does");
    }

    void add_period(CLI::App& command, const char* begin, const char* default_end) {
        command.add_option("--from", texts_.from, begin)->type_name("T");
        command
            .add_option("--to", texts_.to,
                        fmt::format("End of the period, not included {}", default_end))
            ->type_name("T");
    }

    void add_streams(CLI::App* command, const char* otherwise = "all configured") {
        command
            ->add_option("--stream", line_.streams,
                         fmt::format("Only this stream, may be repeated (default: {})", otherwise))
            ->type_name("NAME")
            ->allow_extra_args(false);
    }

    void add_estimate(CLI::App* command) {
        command->add_flag("--estimate", line_.estimate,
                          "Print how much there is to fetch and what that takes; store nothing");
    }

    void add_metrics_file(CLI::App* command) {
        command
            ->add_option("--metrics-file", line_.metrics_file,
                         "Write metrics there at the end, for node_exporter's textfile collector")
            ->type_name("FILE");
    }

    std::string general_options() const {
        return CLI::Formatter().make_group(
            "Options of all commands", false, app_.get_options([this](const CLI::Option* option) {
                return option->nonpositional() && option != app_.get_help_ptr() &&
                       option != app_.get_help_all_ptr();
            }));
    }

    static std::string help(CLI::App& command) {
        return without_gaps(command.help("copernica-mirror"));
    }

    ParsedCommandLine parsed() {
        const CLI::App& command = *app_.get_subcommands().front();
        const std::string name = command.get_name();
        if (name == "version") {
            return {line_, version_text_};
        }
        if (name == "help") {
            return {line_, help_for(texts_.help_for)};
        }
        line_.command = commands_.at(name);
        if (line_.command == Command::run && line_.metrics_file) {
            throw UsageError(
                "--metrics-file is for sync, backfill and audit, which end; run serves its metrics "
                "while it runs: set [metrics] listen in the configuration");
        }
        check_choice("--log-level", line_.log_level, log_levels());
        check_choice("--log-format", line_.log_format, log_formats());
        for (const std::string& stream : line_.streams) {
            if (find_stream(stream) == nullptr) {
                throw UsageError(fmt::format("--stream: {}", no_such_stream(stream)));
            }
        }
        line_.from = point_option(command, "--from", texts_.from);
        line_.to = point_option(command, "--to", texts_.to);
        read_max_lag(command);
        if (line_.command == Command::erase) {
            read_what_to_erase();
        }
        return {line_, std::nullopt};
    }

    std::string help_for(const std::string& name) {
        if (name.empty()) {
            return general_help_;
        }
        std::vector<std::string> known;
        for (CLI::App* const command : app_.get_subcommands({})) {
            if (command->get_name() == name) {
                return help(*command);
            }
            known.push_back(command->get_name());
        }
        const auto nearest = nearest_word(name, known);
        throw UsageError(fmt::format("help: unknown command \"{}\"; {}", name,
                                     nearest
                                         ? fmt::format("did you mean {}?", *nearest)
                                         : fmt::format("known are {}", fmt::join(known, ", "))));
    }

    static void check_choice(const char* option, const std::optional<std::string>& value,
                             const std::vector<std::string>& choices) {
        if (value && std::find(choices.begin(), choices.end(), *value) == choices.end()) {
            throw UsageError(fmt::format("{}: \"{}\" is not one of {}", option, *value,
                                         fmt::join(choices, ", ")));
        }
    }

    static std::optional<PointInTime> point_option(const CLI::App& command, const char* name,
                                                   const std::string& text) {
        const CLI::Option* const option = command.get_option_no_throw(name);
        if (option == nullptr || option->count() == 0) {
            return std::nullopt;
        }
        auto point = parse_point_in_time(text);
        if (!point) {
            throw UsageError(
                fmt::format("{}: \"{}\" is not a time; it takes {}", name, text, points_in_time));
        }
        return point;
    }

    // What was given may be personal, and is not repeated in an error.
    void read_what_to_erase() {
        line_.profiles = read_ids("--profile", texts_.profiles);
        line_.destinations = read_ids("--destination", texts_.destinations);
        for (const std::string& text : texts_.addresses) {
            const auto address = read_ip_address(text);
            if (!address) {
                throw UsageError("--ip: not an IP address, such as 192.0.2.7 or 2001:db8::1");
            }
            line_.addresses.push_back(*address);
        }
        for (const std::string& text : texts_.before) {
            auto point = parse_point_in_time(text);
            if (!point) {
                throw UsageError(fmt::format("--before: \"{}\" is not a time; it takes {}", text,
                                             points_in_time));
            }
            line_.before.push_back(*point);
        }
        if (line_.profiles.empty() && line_.destinations.empty() && line_.addresses.empty() &&
            line_.before.empty()) {
            throw UsageError(
                "erase needs at least one of --profile, --destination, --ip and --before; see "
                "copernica-mirror erase --help");
        }
    }

    static std::vector<std::int64_t> read_ids(const char* option,
                                              const std::vector<std::string>& texts) {
        std::vector<std::int64_t> ids;
        for (const std::string& text : texts) {
            const auto id = read_decimal<std::int64_t>(text);
            if (!id || *id < 1) {
                throw UsageError(
                    fmt::format("{}: not an ID, which is a whole number from 1 on", option));
            }
            ids.push_back(*id);
        }
        return ids;
    }

    void read_max_lag(const CLI::App& command) {
        const CLI::Option* const option = command.get_option_no_throw("--max-lag");
        if (option == nullptr || option->count() == 0) {
            return;
        }
        line_.max_lag = parse_duration(texts_.max_lag);
        if (!line_.max_lag) {
            throw UsageError(fmt::format(
                "--max-lag: \"{}\" is not a duration; it takes a whole number and s, m, h or d",
                texts_.max_lag));
        }
    }

    CLI::App app_{
        "Keeps a SQLite file equal to the mail events (opens, clicks, deliveries and more) of a "
        "Copernica Marketing Suite account.",
        "copernica-mirror"};
    const std::string& version_text_;
    std::string general_help_;
    CommandLine line_;
    Texts texts_;
    std::map<std::string, Command> commands_;
    std::map<std::string, std::string> footers_;
};

}  // namespace

ParsedCommandLine parse_command_line(const std::vector<std::string>& arguments,
                                     const std::string& version_text) {
    return Parser(version_text).parse(arguments);
}

}  // namespace mirror::daemon

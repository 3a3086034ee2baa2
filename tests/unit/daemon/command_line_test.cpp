#include "daemon/cli/command_line.hpp"

#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "daemon/config/units.hpp"
#include "daemon/process/usage_error.hpp"

using namespace mirror;
using namespace mirror::daemon;

namespace {

ParsedCommandLine parse(const std::vector<std::string>& arguments) {
    return parse_command_line(arguments, "copernica-mirror 1.2.3\nother 4\n");
}

std::string local(const std::optional<PointInTime>& point) {
    return format_local(std::get<LocalTime>(point.value()));
}

std::string mistake(const std::vector<std::string>& arguments) {
    try {
        parse(arguments);
    } catch (const UsageError& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("command line: options before and after the command") {
    for (const auto& arguments :
         {std::vector<std::string>{"-c", "a.toml", "--quiet", "sync", "-d", "x.db"},
          {"sync", "--config", "a.toml", "-d", "x.db", "-q"},
          {"--database=x.db", "--config=a.toml", "-q", "sync"}}) {
        const CommandLine line = parse(arguments).command_line;
        CHECK(line.command == Command::sync);
        CHECK(line.config == "a.toml");
        CHECK(line.database == "x.db");
        CHECK(line.quiet);
    }
}

TEST_CASE("command line: what a load takes can be asked of sync and backfill") {
    CHECK(parse({"sync", "--estimate"}).command_line.estimate);
    CHECK(parse({"backfill", "--from", "2016-01-02", "--estimate"}).command_line.estimate);
    CHECK_FALSE(parse({"sync"}).command_line.estimate);
    CHECK_THROWS_AS(parse({"audit", "--estimate"}), UsageError);
    CHECK_THROWS_AS(parse({"run", "--estimate"}), UsageError);
}

TEST_CASE("command line: some streams instead of all that are configured") {
    for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
             {"sync"}, {"backfill", "--from", "2024-01-01"}, {"audit"}}) {
        std::vector<std::string> arguments = command;
        CHECK(parse(arguments).command_line.streams.empty());
        for (const char* const name : {"clicks", "mailings"}) {
            arguments.insert(arguments.end(), {"--stream", name});
        }
        CHECK(parse(arguments).command_line.streams ==
              std::vector<std::string>{"clicks", "mailings"});
    }
    CHECK(mistake({"sync", "--stream", "opens"}) ==
          "--stream: unknown stream \"opens\"; known are impressions, clicks, deliveries, "
          "errors, "
          "abuses, unsubscribes, mailings");
}

TEST_CASE("command line: backfill takes local times") {
    const CommandLine line =
        parse({"backfill", "--from", "2016-01-02", "--to", "2016-02-03 04:05:06", "--force"})
            .command_line;
    CHECK(line.command == Command::backfill);
    CHECK(local(line.from) == "2016-01-02 00:00:00");
    CHECK(local(line.to) == "2016-02-03 04:05:06");
    CHECK(line.force);
    CHECK_FALSE(parse({"backfill", "--from", "2016-01-02"}).command_line.to.has_value());
}

TEST_CASE("command line: audit") {
    const CommandLine line =
        parse({"audit", "--repair", "--prune", "--json", "--from", "2026-01-01"}).command_line;
    CHECK(line.command == Command::audit);
    CHECK(line.repair);
    CHECK(line.prune);
    CHECK_FALSE(line.yes);
    CHECK(parse({"audit", "--repair", "--prune", "--yes"}).command_line.yes);
    CHECK(line.json);
    CHECK(local(line.from) == "2026-01-01 00:00:00");
    CHECK_FALSE(line.to.has_value());
    CHECK_FALSE(parse({"audit"}).command_line.from.has_value());
    CHECK_FALSE(parse({"audit"}).command_line.statistics);
    CHECK(parse({"audit", "--statistics", "--json", "--to", "today"}).command_line.statistics);
}

TEST_CASE("command line: status") {
    const CommandLine line = parse({"status", "--json", "--max-lag", "10m"}).command_line;
    CHECK(line.command == Command::status);
    CHECK(line.json);
    CHECK(line.max_lag == Seconds(600));
}

TEST_CASE("command line: run") {
    CHECK(parse({"run"}).command_line.command == Command::run);
    CHECK_THROWS_AS(parse({"run", "--force"}), UsageError);
}

TEST_CASE("command line: a file for metrics is for commands that end") {
    CHECK_FALSE(parse({"sync"}).command_line.metrics_file);
    for (const auto& arguments : {std::vector<std::string>{"sync", "--metrics-file", "a.prom"},
                                  {"backfill", "--from", "2016-01-02", "--metrics-file=a.prom"},
                                  {"audit", "--metrics-file", "a.prom", "--json"}}) {
        CHECK(parse(arguments).command_line.metrics_file == "a.prom");
    }
    CHECK_THROWS_WITH_AS(parse({"run", "--metrics-file", "a.prom"}),
                         doctest::Contains("[metrics] listen"), UsageError);
    CHECK_THROWS_AS(parse({"status", "--metrics-file", "a.prom"}), UsageError);
    CHECK_THROWS_AS(parse({"check", "--metrics-file", "a.prom"}), UsageError);
    CHECK(parse({"run", "--help"}).text.value().find("metrics-file") == std::string::npos);
}

TEST_CASE("command line: help and version are texts") {
    CHECK(parse({"--version"}).text == "copernica-mirror 1.2.3\nother 4\n");
    CHECK(parse({"--help"}).text.value().find("backfill") != std::string::npos);
    CHECK(parse({"backfill", "--help"}).text.value().find("--force") != std::string::npos);
}

TEST_CASE("command line: mistakes") {
    for (const auto& arguments : {std::vector<std::string>{},
                                  {"synch"},
                                  {"sync", "--frm", "x"},
                                  {"sync", "status"},
                                  {"sync", "--metrics-file"},
                                  {"backfill"},
                                  {"backfill", "--from", "2016-13-01"},
                                  {"backfill", "--from", "tomorrow"},
                                  {"audit", "--prune"},
                                  {"audit", "--repair", "--yes"},
                                  {"audit", "--statistics", "--repair"},
                                  {"audit", "--repair", "--prune", "--statistics"},
                                  {"sync", "--statistics"},
                                  {"status", "--max-lag", "10"},
                                  {"status", "--max-lag", "-1s"},
                                  {"--log-level", "loud", "sync"},
                                  {"sync", "extra"}}) {
        CHECK_THROWS_AS(parse(arguments), UsageError);
    }
}

TEST_CASE("durations") {
    CHECK(parse_duration("0s") == Seconds(0));
    CHECK(parse_duration("90s") == Seconds(90));
    CHECK(parse_duration("15m") == Seconds(900));
    CHECK(parse_duration("1h") == Seconds(3600));
    CHECK(parse_duration("7d") == Seconds(604800));
    for (const char* text : {"", "s", "10", "-1s", "+1s", "1.5h", " 1s", "1 s", "1S", "1s ", "1w",
                             "99999999999999999999s", "9223372036854775807d"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_duration(text).has_value());
    }
    for (const char* text : {"0s", "90s", "15m", "1h", "7d", "3601s"}) {
        CHECK(format_duration(parse_duration(text).value()) == text);
    }
}

TEST_CASE("command line: a mistyped command is named, a missing one is missing") {
    CHECK_THROWS_WITH_AS(parse({"chekc"}), doctest::Contains("unknown command \"chekc\""),
                         UsageError);
    CHECK_THROWS_WITH_AS(parse({"--quiet", "snyc"}), doctest::Contains("unknown command \"snyc\""),
                         UsageError);
    CHECK_THROWS_WITH_AS(parse({}), doctest::Contains("required"), UsageError);
    CHECK_THROWS_WITH_AS(parse({}), doctest::Contains("backfill"), UsageError);
    CHECK_THROWS_WITH_AS(parse({"backfill"}), doctest::Contains("--from"), UsageError);
}

TEST_CASE("command line: help and version as commands, too") {
    CHECK(parse({"version"}).text == parse({"--version"}).text);
    CHECK(parse({"-V"}).text == parse({"--version"}).text);
    CHECK(parse({"help"}).text == parse({"--help"}).text);
    CHECK(parse({"help", "backfill"}).text == parse({"backfill", "--help"}).text);
    CHECK(mistake({"help", "backfil"}).find("did you mean backfill?") != std::string::npos);
    CHECK(mistake({"help", "cook"}).find("known are run, sync") != std::string::npos);
}

TEST_CASE("command line: the help of a command has the general options and examples") {
    for (const char* command :
         {"run", "sync", "backfill", "audit", "status", "check", "snapshot", "report"}) {
        CAPTURE(command);
        const std::string text = parse({command, "--help"}).text.value();
        CHECK(text.find("Options of all commands:") != std::string::npos);
        CHECK(text.find("--token-file") != std::string::npos);
        CHECK(text.find(std::string("Examples:\n  copernica-mirror ") + command) !=
              std::string::npos);
    }
}

TEST_CASE("command line: a help has each option once, and no gaps") {
    for (const char* command : {"run", "sync", "backfill", "audit", "status", "check", "snapshot",
                                "report", "help", "version"}) {
        CAPTURE(command);
        const std::string text = parse({"help", command}).text.value();
        CHECK(text.find("--help-all") == text.rfind("--help-all"));
        CHECK(text.find("--help-all") != std::string::npos);
        CHECK(text.find("\n\n\n") == std::string::npos);
        CHECK_FALSE(text.ends_with("\n\n"));
    }
    CHECK(parse({"--help"}).text.value().find("70 an error of the") != std::string::npos);
}

TEST_CASE("command line: the nearest word") {
    struct Row {
        std::vector<std::string> arguments;
        const char* answer;
    };
    const Row rows[] = {
        {{"synch"}, "unknown command \"synch\"; did you mean sync?"},
        {{"backfill", "--form", "x"}, "unknown option --form; did you mean --from?"},
        {{"sync", "--confg=a"}, "unknown option --confg; did you mean --config?"},
        {{"--databse", "a.db", "sync"}, "unknown option --databse; did you mean --database?"},
        {{"sync", "--force"}, "--force is an option of backfill, and not of sync"},
        {{"--json"}, "--json is an option of audit, status, check; name the command;"},
        {{"--json", "status"},
         "--json is an option of audit, status, check, and stands behind the command;"},
        {{"backfill", "--from"}, "--from needs a value (T);"},
        {{"status", "--max-lag"}, "--max-lag needs a value (D);"},
        {{"sync", "-d"}, "--database needs a value (FILE);"},
        {{"--log-level"}, "--log-level needs a value (LEVEL);"},
        {{"sync", "status"}, "sync does not take \"status\""},
        {{"-x", "sync"}, "unknown option -x"},
        {{"--log-level", "loud", "sync"}, "--log-level: \"loud\" is not one of trace, debug"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.answer);
        CHECK(mistake(row.arguments).starts_with(row.answer));
    }
    CHECK(mistake({"sync", "-x:secret"}).find("secret") == std::string::npos);
    CHECK(mistake({"sync", "--auth:secret"}).find("secret") == std::string::npos);
    CHECK(mistake({"sync", "--frce"}).ends_with("; see copernica-mirror sync --help"));
}

TEST_CASE("command line: a token as an argument is not repeated, and told how to be given") {
    const std::string token = "0f8e7d6c5b4a39281706f5e4d3c2b1a0";
    for (const auto& arguments : {std::vector<std::string>{"sync", "--token", token},
                                  {"sync", "--token=" + token},
                                  {"--access-token", token, "sync"},
                                  {"--access_token=" + token, "sync"},
                                  {"sync", token},
                                  {token},
                                  {token, "sync"},
                                  {"sync", "--api-key", token},
                                  {"sync", "-t" + token},
                                  {"-t=" + token, "sync"},
                                  {"sync", "-" + token},
                                  {"sync", "--" + token},
                                  {"sync", "--auth:" + token},
                                  {"sync", "--auth=" + token},
                                  {"sync", "--auth" + token}}) {
        const std::string answer = mistake(arguments);
        CAPTURE(answer);
        CHECK(answer.find(token) == std::string::npos);
        CHECK(answer.find("--token-file") != std::string::npos);
        CHECK(answer.find("COPERNICA_ACCESS_TOKEN") != std::string::npos);
    }
}

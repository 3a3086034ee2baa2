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

TEST_CASE("command line: backfill takes local times") {
    const CommandLine line =
        parse({"backfill", "--from", "2016-01-02", "--to", "2016-02-03 04:05:06", "--force"})
            .command_line;
    CHECK(line.command == Command::backfill);
    CHECK(format_local(line.from.value()) == "2016-01-02 00:00:00");
    CHECK(format_local(line.to.value()) == "2016-02-03 04:05:06");
    CHECK(line.force);
    CHECK_FALSE(parse({"backfill", "--from", "2016-01-02"}).command_line.to.has_value());
}

TEST_CASE("command line: audit") {
    const CommandLine line =
        parse({"audit", "--repair", "--prune", "--json", "--from", "2026-01-01"}).command_line;
    CHECK(line.command == Command::audit);
    CHECK(line.repair);
    CHECK(line.prune);
    CHECK(line.json);
    CHECK(format_local(line.from.value()) == "2026-01-01 00:00:00");
    CHECK_FALSE(line.to.has_value());
    CHECK_FALSE(parse({"audit"}).command_line.from.has_value());
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
                                  {"backfill", "--from", "2016-01-02", "--to", "2016-01-02"},
                                  {"backfill", "--from", "2016-01-03", "--to", "2016-01-02"},
                                  {"audit", "--prune"},
                                  {"audit", "--from", "2016-01-03", "--to", "2016-01-02"},
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
    CHECK_THROWS_WITH_AS(parse({"chekc"}), doctest::Contains("there is no command \"chekc\""),
                         UsageError);
    CHECK_THROWS_WITH_AS(parse({"--quiet", "snyc"}),
                         doctest::Contains("there is no command \"snyc\""), UsageError);
    CHECK_THROWS_WITH_AS(parse({}), doctest::Contains("required"), UsageError);
    CHECK_THROWS_WITH_AS(parse({"backfill"}), doctest::Contains("--from"), UsageError);
}

// Commands, options, exit codes, log, token and JSON in docs/commands.md, against the program.
#include <algorithm>
#include <map>
#include <regex>
#include <sstream>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include "core/time/clock.hpp"
#include "daemon/check/check_command.hpp"
#include "daemon/check/finding.hpp"
#include "daemon/commands/audit_command.hpp"
#include "daemon/commands/statistics_command.hpp"
#include "daemon/log/logging.hpp"
#include "daemon/status/status_json.hpp"
#include "tests/unit/documentation/documents.hpp"
#include "tests/unit/documentation/program.hpp"

using namespace mirror;
using namespace mirror::daemon;
using namespace mirror::test;

namespace {

// The fields of a JSON text, also those inside others: "gaps", "gaps[].begin".
void add_fields(const boost::json::value& value, const std::string& path, Names& fields) {
    if (value.is_object()) {
        for (const auto& field : value.as_object()) {
            const std::string key(field.key());
            const std::string inner = path.empty() ? key : path + "." + key;
            fields.insert(inner);
            add_fields(field.value(), inner, fields);
        }
    } else if (value.is_array()) {
        for (const auto& element : value.as_array()) {
            add_fields(element, path + "[]", fields);
        }
    }
}

Names fields_of(const std::string& json) {
    Names fields;
    add_fields(boost::json::parse(json), "", fields);
    return fields;
}

}  // namespace

TEST_CASE("documentation: every command") {
    const std::string text = document("docs/commands.md");
    check_documented(documented(section(text, "The commands"), "command"),
                     commands_of_the_program());
}

TEST_CASE("documentation: every option, at its command") {
    const std::string text = document("docs/commands.md");
    const Names general = options_in(help({"--help"}));
    check_documented(documented(section(text, "Options of all commands"), "option"), general);

    std::map<std::string, Names> documented_of;
    for (const auto& row : table_rows(section(text, "Options of one command"), "option")) {
        REQUIRE(row.size() == 3);
        CHECK(row[2] != "");
        for (const std::string& command : names_in(row[1])) {
            for (const std::string& option : names_in(row[0])) {
                CAPTURE(option);
                CHECK(documented_of[command].insert(option).second);
            }
        }
    }
    std::size_t options = 0;
    for (const std::string& command : commands_of_the_program()) {
        CAPTURE(command);
        Names own;
        for (const std::string& option : options_in(help({command, "--help"}))) {
            if (!general.contains(option)) {
                own.insert(option);
            }
        }
        options += own.size();
        if (own.empty()) {
            CHECK(!documented_of.contains(command));
        } else {
            check_documented(documented_of[command], own);
        }
        documented_of.erase(command);
    }
    CHECK(options >= 14);
    CHECK(documented_of.empty());  // of commands that do not exist
}

TEST_CASE("documentation: every exit code") {
    const Names codes = matches(document("daemon/process/exit_code.hpp"), " = ([0-9]+),");
    CHECK(codes.size() == 9);
    const std::vector<std::pair<std::string, std::string>> tables{
        {"docs/commands.md", "Exit codes"}, {"docs/deployment.md", "Exit codes of `sync`"}};
    for (const auto& table : tables) {
        const auto& path = table.first;
        const auto& heading = table.second;
        CAPTURE(path);
        Names found;
        for (const auto& row : table_rows(section(document(path), heading), "code")) {
            found.merge(matches(row.front(), "([0-9]+)"));
        }
        check_documented(found, codes);
    }
}

TEST_CASE("documentation: every key of a line of the log") {
    std::ostringstream out;
    std::ostringstream err;
    SystemClock clock;
    const Environment environment(out, err, clock);
    LogOptions options;
    options.format = "json";
    make_logger(environment, options)->info("a message");
    check_documented(documented(section(document("docs/commands.md"), "Log"), "key"),
                     fields_of(err.str()));
}

TEST_CASE("documentation: every source of the token") {
    const std::string text = section(document("docs/commands.md"), "Token");
    std::string sources;
    for (const auto& row : table_rows(text, "order")) {
        for (const std::string& name : names_in(row.at(1))) {
            sources += name + " ";
        }
    }
    // In their order: find_token() of daemon/config/token.hpp, which token_test.cpp tests.
    CHECK(sources == "--token-file token_file access_token COPERNICA_ACCESS_TOKEN ");
}

TEST_CASE("documentation: every field of the JSON of status, check and audit") {
    const std::string text = document("docs/commands.md");
    Status status;
    status.stream = &streams().front();
    status.account = storage::FileStatus::Account{};
    status.gaps.resize(1);
    status.doubts.resize(1);
    status.lateness = storage::LatenessSummary{};
    status.last_audit = "nothing";
    status.sweep = Status::Sweep{};
    std::string json = status_json({status});
    const std::string name = "\"" + std::string(status.stream->name) + "\"";
    json.replace(json.find(name), name.size(), "\"NAME\"");
    check_documented(documented(section(text, "`status --json`"), "field"), fields_of(json));

    check_documented(documented(section(text, "`check --json`"), "field"),
                     fields_of(findings_json({found_ok("a", "b")})));

    sync::AuditReport audit;
    audit.places.resize(1);
    audit.unread.resize(1);
    audit.uncovered.add(Window{Instant(Seconds(0)), Instant(Seconds(1))});
    audit.withdrawn = audit.uncovered;
    check_documented(documented(section(text, "`audit --json`"), "field"),
                     fields_of(audit_json(audit)));

    sync::StatisticsReport statistics;
    statistics.period = {Instant(Seconds(0)), Instant(Seconds(1))};
    sync::StatisticsReport::OfStream of_stream;
    of_stream.stream = &streams().front();
    of_stream.uncovered = audit.uncovered;
    statistics.streams.push_back(of_stream);
    statistics.differences.push_back({1, &streams().front(), false, 2, 3});
    statistics.not_counted.resize(1);
    statistics.unattributed.resize(1);
    statistics.unattributed[0].stream = &streams().front();
    check_documented(documented(section(text, "`audit --statistics --json`"), "field"),
                     fields_of(statistics_json(statistics)));
}

TEST_CASE("documentation: every line of check") {
    const auto names = check_names();
    const std::string text = section(document("docs/commands.md"), "What `check` tests");
    check_documented(documented(text, "line"), Names(names.begin(), names.end()));
}

// The documents against the program: what users meet is written down, or a test fails.

#include <cctype>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include "daemon/check/check_command.hpp"
#include "daemon/check/finding.hpp"
#include "daemon/cli/command_line.hpp"
#include "daemon/commands/audit_command.hpp"
#include "daemon/config/config.hpp"
#include "daemon/status/status.hpp"
#include "tests/paths.hpp"

using namespace mirror;
using namespace mirror::daemon;

namespace {

std::string file(const std::string& name) {
    std::ifstream in(std::string(test::project_root) + "/" + name);
    REQUIRE(in.good());
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The words (of letters, `_` and `-`) that follow `prefix` in the text, each with `kept` of it.
std::set<std::string> words_after(const std::string& text, const std::string& prefix,
                                  const std::string& kept = "") {
    std::set<std::string> found;
    for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at + 1)) {
        std::string word;
        for (auto i = at + prefix.size();
             i < text.size() && (std::isalpha(static_cast<unsigned char>(text[i])) != 0 ||
                                 text[i] == '_' || text[i] == '-');
             ++i) {
            word += text[i];
        }
        if (!word.empty()) {
            found.insert(kept + word);
        }
    }
    return found;
}

bool mentions(const std::string& text, const std::string& word) {
    return text.find(word) != std::string::npos;
}

// As its help lists them.
std::set<std::string> commands_of_the_program() {
    const std::string help = parse_command_line({"--help"}, "1").text.value();
    return words_after(help.substr(help.find("Subcommands:")), "\n  ");
}

}  // namespace

TEST_CASE("documentation: every command and option") {
    const std::string readme = file("README.md");
    const std::string help = parse_command_line({"--help-all"}, "1").text.value();
    const auto options = words_after(help, "--", "--");
    CHECK(options.size() >= 15);
    for (const std::string& option : options) {
        CAPTURE(option);
        CHECK((option == "--help-all" || mentions(readme, option)));
    }
    for (const char* command : {"run", "sync", "backfill", "audit", "status", "check"}) {
        CAPTURE(command);
        CHECK(mentions(help, command));
        CHECK(mentions(readme, std::string("\n  ") + command + " "));
    }
}

TEST_CASE("documentation: every key with its default, in the README and the example") {
    const std::string readme = file("README.md");
    const std::string example = file("packaging/config.toml");
    for (const std::string& key : config_keys()) {
        const std::string name = key.substr(key.find('.') + 1);
        CAPTURE(key);
        CHECK(mentions(readme, "`" + name + "`"));
        CHECK(mentions(example, "\n" + name + " = "));
    }
    // The example is what the program does without it.
    const Config defaults;
    const Config read = read_config(std::string(test::project_root) + "/packaging/config.toml");
    CHECK(read.api.url == defaults.api.url);
    CHECK(read.api.page_size == defaults.api.page_size);
    CHECK(read.api.connections == defaults.api.connections);
    CHECK(read.api.requests_per_second == defaults.api.requests_per_second);
    CHECK(read.mirror.start == defaults.mirror.start);
    CHECK(read.mirror.poll_interval == defaults.mirror.poll_interval);
    CHECK(read.mirror.overlap == defaults.mirror.overlap);
    CHECK(read.mirror.settle == defaults.mirror.settle);
    CHECK(read.mirror.recheck_ages == defaults.mirror.recheck_ages);
    CHECK(read.mirror.give_up_after == defaults.mirror.give_up_after);
    CHECK(read.mirror.indexes == defaults.mirror.indexes);
    CHECK(read.metrics.listen.has_value() == defaults.metrics.listen.has_value());
}

TEST_CASE("documentation: every table, view and column") {
    const std::string readme = file("README.md");
    const std::string sql = file("storage/schema.sql") + file("storage/views.sql");
    auto names = words_after(sql, "CREATE TABLE ");
    names.merge(words_after(sql, "CREATE VIEW "));
    CHECK(names.size() >= 9);
    for (const std::string& name : names) {
        CAPTURE(name);
        CHECK(mentions(readme, "`" + name + "`"));
    }
    const std::string rows = sql.substr(sql.find("CREATE VIEW impressions AS"));
    for (const std::string& column :
         words_after(rows.substr(0, rows.find("FROM impression_rows;")), "\n    ")) {
        CAPTURE(column);
        CHECK(mentions(readme, "`" + column + "`"));
    }
}

TEST_CASE("documentation: every field of the JSON objects") {
    const std::string readme = file("README.md");
    const auto status = boost::json::parse(status_json(Status{})).as_object();
    const auto audit = boost::json::parse(audit_json(sync::AuditReport{})).as_object();
    for (const auto& object : {status, audit}) {
        for (const auto& field : object) {
            CAPTURE(std::string(field.key()));
            CHECK(mentions(readme, "`" + std::string(field.key()) + "`"));
        }
    }
}

TEST_CASE("documentation: every line of check, and the fields of its JSON") {
    const std::string readme = file("README.md");
    for (const std::string& name : check_names()) {
        CAPTURE(name);
        CHECK(mentions(readme, "`" + name + "`"));
    }
    const auto json = boost::json::parse(findings_json({found_ok("a", "b")})).as_object();
    for (const auto& object : {json, json.at("checks").at(0).as_object()}) {
        for (const auto& field : object) {
            CAPTURE(std::string(field.key()));
            CHECK(mentions(readme, "`" + std::string(field.key()) + "`"));
        }
    }
}

TEST_CASE("documentation: every exit code") {
    const std::string readme = file("README.md");
    for (const char* code :
         {"| 0 |", "| 1 |", "| 2 |", "| 3 |", "| 4 |", "| 5 |", "| 130, 143 |"}) {
        CAPTURE(code);
        CHECK(mentions(readme, code));
    }
}

TEST_CASE("documentation: the man pages") {
    const std::string readme = file("README.md");
    const std::string page = file("packaging/man/copernica-mirror.1.scd");
    const auto options =
        words_after(parse_command_line({"--help-all"}, "1").text.value(), "--", "--");
    for (const std::string& option : options) {
        CAPTURE(option);
        CHECK(mentions(page, "*" + option + "*"));
    }
    for (const std::string& option : words_after(page, "*--", "--")) {
        CAPTURE(option);
        CHECK(options.contains(option));
    }
    const auto commands = commands_of_the_program();
    CHECK(commands.size() >= 5);
    for (const std::string& command : commands) {
        CAPTURE(command);
        CHECK(mentions(page, "\n*" + command + "*\n\t"));
        CHECK(mentions(page, "\n*copernica-mirror* [options] *" + command + "*"));
    }
    for (const char* code : {"0", "1", "2", "3", "4", "5", "130*, *143"}) {
        CAPTURE(code);
        CHECK(mentions(page, std::string("\n*") + code + "*\n\t"));
    }
    const std::string sql = file("storage/schema.sql") + file("storage/views.sql");
    auto names = words_after(sql, "CREATE TABLE ");
    names.merge(words_after(sql, "CREATE VIEW "));
    const std::string rows = sql.substr(sql.find("CREATE VIEW impressions AS"));
    names.merge(words_after(rows.substr(0, rows.find("FROM impression_rows;")), "\n    "));
    for (const std::string& name : names) {
        CAPTURE(name);
        CHECK(mentions(page, "_" + name + "_"));
    }
    const auto metrics = words_after(readme, "`copernica_mirror_");
    CHECK(metrics.size() >= 12);
    for (const std::string& metric : metrics) {
        CAPTURE(metric);
        CHECK(mentions(page, "*copernica_mirror_" + metric));
    }
    // Key and default as in the example, which is compared with the program.
    const std::string config_page = file("packaging/man/copernica-mirror-config.5.scd");
    std::istringstream example(file("packaging/config.toml"));
    std::size_t keys = 0;
    for (std::string line; std::getline(example, line);) {
        const auto end_of_key = line.find(" = ");
        if (line.starts_with('#') || end_of_key == std::string::npos) {
            continue;
        }
        ++keys;
        CAPTURE(line);
        CHECK(mentions(config_page,
                       "\n*" + line.substr(0, end_of_key) + "*" + line.substr(end_of_key) + "\n"));
    }
    CHECK(keys == config_keys().size());
}

TEST_CASE("documentation: completions know every command and option, and no others") {
    const auto options =
        words_after(parse_command_line({"--help-all"}, "1").text.value(), "--", "--");
    const auto commands = commands_of_the_program();
    const std::string folder = "packaging/completions/";
    const std::string bash = file(folder + "copernica-mirror.bash");
    const std::string zsh = file(folder + "_copernica-mirror");
    const std::string fish = file(folder + "copernica-mirror.fish");
    for (const std::string& option : options) {
        CAPTURE(option);
        CHECK(words_after(bash, "--", "--").contains(option));
        CHECK(words_after(zsh, "--", "--").contains(option));
        CHECK(words_after(fish, " -l ", "--").contains(option));
    }
    auto offered = words_after(zsh, "--", "--");
    offered.merge(words_after(fish, " -l ", "--"));
    for (const std::string& option : offered) {
        CAPTURE(option);
        CHECK(options.contains(option));
    }
    const std::string after = bash.substr(bash.find("words='") + std::string("words='").size());
    const std::string first_word = " " + after.substr(0, after.find('\''));
    for (const std::string& command : commands) {
        CAPTURE(command);
        CHECK(words_after(first_word, " ").contains(command));
        CHECK(mentions(zsh, "'" + command + ":"));
        CHECK(mentions(fish, " -a " + command + " -d "));
    }
}

TEST_CASE("documentation: alerts and the dashboard use metrics that there are") {
    const std::string readme = file("README.md");
    const std::string dashboard = file("packaging/grafana/dashboard.json");
    CHECK(boost::json::parse(dashboard).as_object().contains("panels"));
    auto used = words_after(file("packaging/prometheus/alerts.yml"), "copernica_mirror_");
    CHECK(used.size() >= 5);
    used.merge(words_after(dashboard, "copernica_mirror_"));
    CHECK(used.size() >= 10);
    for (std::string metric : used) {
        CAPTURE(metric);
        if (metric.ends_with("_bucket")) {  // of a histogram
            metric.resize(metric.size() - std::string("_bucket").size());
        }
        CHECK(words_after(readme, "`copernica_mirror_").contains(metric));
    }
}

// Man pages, completions, alerts and dashboard, against the program.
#include <cstdio>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include "daemon/config/config.hpp"
#include "tests/paths.hpp"
#include "tests/unit/documentation/documents.hpp"
#include "tests/unit/documentation/program.hpp"

using namespace mirror;
using namespace mirror::daemon;
using namespace mirror::test;

TEST_CASE("documentation: the man pages") {
    const std::string page = document("packaging/man/copernica-mirror.1.scd");
    const auto options = words_after(help({"--help-all"}), "--", "--");
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
    for (const char* code : {"0", "1", "2", "3", "4", "5", "70", "130*, *143"}) {
        CAPTURE(code);
        CHECK(mentions(page, std::string("\n*") + code + "*\n\t"));
    }
    const std::string the_file = page.substr(page.find("# THE FILE"));
    for (const auto& [table, columns] : columns_of_the_file()) {
        const std::string name = table.substr(0, table.find(' '));
        CAPTURE(name);
        const auto entry = the_file.find("_" + name + "_");
        REQUIRE(entry != std::string::npos);
        if (!table.ends_with(" (view)")) {
            continue;
        }
        // Views have their columns in their own entry.
        const std::string text = the_file.substr(entry, the_file.find("\n\n", entry) - entry);
        for (const std::string& column : columns) {
            CAPTURE(column);
            CHECK(mentions(text, "_" + column + "_"));
        }
    }
    const auto metrics = documented(section(document("docs/monitoring.md"), "Metrics"), "metric");
    const auto entries = matches(page, R"(\n\*((?:copernica_mirror|process)_[a-z_]+))");
    check_documented(entries, metrics);
    // Key and default as in the example, which is compared with the program.
    const std::string config_page = document("packaging/man/copernica-mirror-config.5.scd");
    std::istringstream example(document("packaging/config.toml"));
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
    // Those of one stream are as in [mirror], and comments in the example.
    constexpr std::size_t of_a_stream = 3;
    CHECK(keys + of_a_stream == config_keys().size());
}

TEST_CASE("documentation: completions know every command and option, and no others") {
    const auto options = words_after(help({"--help-all"}), "--", "--");
    const auto commands = commands_of_the_program();
    const std::string folder = "packaging/completions/";
    const std::string bash = document(folder + "copernica-mirror.bash");
    const std::string zsh = document(folder + "_copernica-mirror");
    const std::string fish = document(folder + "copernica-mirror.fish");
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

TEST_CASE("documentation: every alert has a runbook and a test") {
    const auto alerts = matches(document("packaging/prometheus/alerts.yml"), "alert: ([A-Za-z]+)");
    CHECK(alerts.size() >= 13);
    check_documented(documented(section(document("docs/operations.md"), "Alerts"), "alert"),
                     alerts);
    const std::string tests = document("packaging/prometheus/alerts_test.yml");
    for (const std::string& alert : alerts) {
        CAPTURE(alert);
        // When it fires, and when it does not.
        const auto first = tests.find("alertname: " + alert + "\n        exp_alerts:\n");
        CHECK(first != std::string::npos);
        CHECK(mentions(tests, "alertname: " + alert + "\n        exp_alerts: []\n"));
    }
}

TEST_CASE("documentation: alerts and the dashboard use metrics that exist") {
    const auto metrics = documented(section(document("docs/monitoring.md"), "Metrics"), "metric");
    const std::string dashboard = document("packaging/grafana/dashboard.json");
    CHECK(boost::json::parse(dashboard).as_object().contains("panels"));
    auto used = words_after(document("packaging/prometheus/alerts.yml"), "copernica_mirror_");
    CHECK(used.size() >= 5);
    used.merge(words_after(dashboard, "copernica_mirror_"));
    CHECK(used.size() >= 10);
    for (std::string metric : used) {
        CAPTURE(metric);
        if (metric.ends_with("_bucket")) {  // of a histogram
            metric.resize(metric.size() - std::string("_bucket").size());
        }
        CHECK(metrics.contains("copernica_mirror_" + metric));
    }
}

TEST_CASE("documentation: the dashboard shows every metric of run") {
    const std::string dashboard = document("packaging/grafana/dashboard.json");
    for (const std::string& metric :
         documented(section(document("docs/monitoring.md"), "Metrics"), "metric")) {
        if (metric.starts_with("copernica_mirror_last_run_")) {
            continue;  // only of commands that end
        }
        CAPTURE(metric);
        CHECK(mentions(dashboard, metric));
    }
}

namespace {

// What bash offers for the last of these words.
std::string completions(const std::vector<std::string>& words) {
    std::string list;
    for (const std::string& word : words) {
        list += "'" + word + "' ";
    }
    const std::string script =
        "cd '" + std::string(mirror::test::project_root) +
        "' && . packaging/completions/copernica-mirror.bash && COMP_WORDS=(" + list +
        ") && COMP_CWORD=" + std::to_string(words.size() - 1) +
        " && _copernica_mirror; echo \"${COMPREPLY[*]}\"";
    FILE* const output = popen(("bash -c \"$(cat <<'END'\n" + script + "\nEND\n)\"").c_str(), "r");
    REQUIRE(output != nullptr);
    std::string text;
    for (int character = fgetc(output); character != EOF; character = fgetc(output)) {
        text += static_cast<char>(character);
    }
    CHECK(pclose(output) == 0);
    return text.empty() ? text : text.substr(0, text.size() - 1);
}

}  // namespace

TEST_CASE("documentation: bash completes files behind an option and its equals sign") {
    const std::string name = "copernica-mirror";
    CHECK(completions({name, "-d", "CONTR"}) == "CONTRIBUTING.md");
    CHECK(completions({name, "--database", "=", "CONTR"}) == "CONTRIBUTING.md");
    CHECK(mentions(completions({name, "--database", "="}), "CONTRIBUTING.md"));
    CHECK(completions({name, "--log-level", "=", "war"}) == "warning");
    CHECK(completions({name, "--config", "=", "a.toml", "st"}) == "status");
    CHECK(completions({name, "status", "--max"}) == "--max-lag");
    CHECK(completions({name, "help", "back"}) == "backfill");
}

// The documents against the program: what users meet is written down, or a test fails.

#include <cctype>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include "daemon/audit_command.hpp"
#include "daemon/check_command.hpp"
#include "daemon/command_line.hpp"
#include "daemon/config.hpp"
#include "daemon/finding.hpp"
#include "daemon/status.hpp"
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
    CHECK(read.mirror.audit_ages == defaults.mirror.audit_ages);
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

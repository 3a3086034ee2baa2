// The documents against the program: what users meet has a row in the right table, or a test fails;
// and what has a row exists.

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include "core/time/clock.hpp"
#include "daemon/check/check_command.hpp"
#include "daemon/check/finding.hpp"
#include "daemon/cli/command_line.hpp"
#include "daemon/commands/audit_command.hpp"
#include "daemon/config/config.hpp"
#include "daemon/log/logging.hpp"
#include "daemon/status/status.hpp"
#include "storage/sql.hpp"
#include "tests/paths.hpp"
#include "tests/unit/daemon/documents.hpp"

using namespace mirror;
using namespace mirror::daemon;
using mirror::test::check_documented;
using mirror::test::document;
using mirror::test::documented;
using mirror::test::names_in;
using mirror::test::section;
using mirror::test::table_rows;

namespace {

using Names = std::set<std::string>;

// The words (of letters, `_` and `-`) that follow `prefix` in the text, each with `kept` of it.
Names words_after(const std::string& text, const std::string& prefix,
                  const std::string& kept = "") {
    Names found;
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

// The first group of each match.
Names matches(const std::string& text, const std::string& pattern) {
    const std::regex regex(pattern);
    Names found;
    for (std::sregex_iterator it(text.begin(), text.end(), regex), last; it != last; ++it) {
        found.insert((*it)[1].str());
    }
    return found;
}

std::string help(const std::vector<std::string>& arguments) {
    return parse_command_line(arguments, "1").text.value();
}

// As its help lists them.
Names commands_of_the_program() {
    const std::string text = help({"--help"});
    return words_after(text.substr(text.find("Subcommands:")), "\n  ");
}

// The long and short options that the help lists, a line each.
Names options_in(const std::string& text) {
    Names options;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        std::smatch match;
        if (std::regex_search(line, match, std::regex("^ +(?:(-[a-z]), *)?(--[a-z-]+)"))) {
            options.insert(match[2].str());
            if (match[1].matched) {
                options.insert(match[1].str());
            }
        }
    }
    return options;
}

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

// A database as the program creates it.
SQLite::Database new_database() {
    SQLite::Database database(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database.exec(storage::sql::schema);
    database.exec(storage::sql::views);
    return database;
}

// The tables and views, each with its columns. A view has " (view)" behind its name.
std::map<std::string, Names> columns_of_the_file() {
    SQLite::Database database = new_database();
    SQLite::Statement query(database,
                            "SELECT m.name || iif(m.type = 'view', ' (view)', ''), p.name "
                            "FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS p "
                            "WHERE m.type IN ('table', 'view')");
    std::map<std::string, Names> columns;
    while (query.executeStep()) {
        columns[query.getColumn(0).getString()].insert(query.getColumn(1).getString());
    }
    return columns;
}

// The blocks of code of that language.
std::vector<std::string> code_blocks(const std::string& text, const std::string& language) {
    const std::string fence = "```" + language + "\n";
    std::vector<std::string> blocks;
    for (auto at = text.find(fence); at != std::string::npos; at = text.find(fence, at + 1)) {
        const auto begin = at + fence.size();
        blocks.push_back(text.substr(begin, text.find("```", begin) - begin));
    }
    return blocks;
}

// All files that people read, from the root.
std::vector<std::string> all_documents() {
    std::vector<std::string> paths{"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"};
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(test::project_root) + "/docs")) {
        if (entry.path().extension() == ".md") {
            paths.push_back("docs/" + entry.path().filename().string());
        }
    }
    return paths;
}

bool exists(const std::filesystem::path& path) {
    return std::filesystem::exists(test::project_root / path);
}

// What a web page of the document calls its heading.
std::string anchor_of(const std::string& heading) {
    std::string anchor;
    for (const char character : heading) {
        const auto byte = static_cast<unsigned char>(character);
        if (character == ' ') {
            anchor += '-';
        } else if (std::isalnum(byte) != 0 || character == '-' || character == '_') {
            anchor += static_cast<char>(std::tolower(byte));
        }
    }
    return anchor;
}

Names anchors_of(const std::string& path) {
    Names anchors;
    for (const std::string& heading : test::headings(document(path))) {
        anchors.insert(anchor_of(heading));
    }
    return anchors;
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
    for (const auto& [path, heading] : tables) {
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
    status.account = storage::FileStatus::Account{};
    status.gaps.resize(1);
    status.lateness = storage::LatenessSummary{};
    status.last_audit = "nothing";
    status.sweep = Status::Sweep{};
    check_documented(documented(section(text, "`status --json`"), "field"),
                     fields_of(status_json(status)));

    check_documented(documented(section(text, "`check --json`"), "field"),
                     fields_of(findings_json({found_ok("a", "b")})));

    sync::AuditReport audit;
    audit.places.resize(1);
    audit.unread.resize(1);
    audit.uncovered.add(Window{Instant(Seconds(0)), Instant(Seconds(1))});
    audit.withdrawn = audit.uncovered;
    check_documented(documented(section(text, "`audit --json`"), "field"),
                     fields_of(audit_json(audit)));
}

TEST_CASE("documentation: every line of check") {
    const auto names = check_names();
    const std::string text = section(document("docs/commands.md"), "What `check` tests");
    check_documented(documented(text, "line"), Names(names.begin(), names.end()));
}

TEST_CASE("documentation: every key with its default, also in the example") {
    const std::string text = document("docs/configuration.md");
    const std::string example = document("packaging/config.toml");
    std::map<std::string, Names> keys;
    for (const std::string& key : config_keys()) {
        const auto dot = key.find('.');
        keys[key.substr(0, dot)].insert(key.substr(dot + 1));
    }
    CHECK(keys.size() == 4);
    for (const auto& [table, names] : keys) {
        CAPTURE(table);
        const std::string part = section(text, "`[" + table + "]`");
        check_documented(documented(part, "key"), names);
        for (const auto& row : table_rows(part, "key")) {
            REQUIRE(row.size() == 3);
            CAPTURE(row.front());
            REQUIRE(row[1].size() > 2);
            const std::string value = row[1].substr(1, row[1].size() - 2);  // without backticks
            CHECK(mentions(example, "\n" + names_in(row[0]).at(0) + " = " + value + "\n"));
        }
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

TEST_CASE("documentation: every table and view, and each column in the table of its own") {
    const std::string text = document("docs/file.md");
    const auto tables = columns_of_the_file();
    CHECK(tables.size() == 9);
    Names existing;
    for (const auto& [table, columns] : tables) {
        CAPTURE(table);
        // "`impressions` (view)"
        const auto name_end = std::min(table.find(' '), table.size());
        const std::string heading = "`" + table.substr(0, name_end) + "`" + table.substr(name_end);
        existing.insert(heading);
        check_documented(documented(section(text, heading), "column"), columns);
    }
    Names found;
    for (const std::string& heading : test::headings(text)) {
        if (heading.starts_with('`')) {
            found.insert(heading);
        }
    }
    check_documented(found, existing);
}

TEST_CASE("documentation: the queries run on a file of the program") {
    SQLite::Database database = new_database();
    std::size_t queries = 0;
    for (const char* path : {"README.md", "docs/file.md"}) {
        CAPTURE(path);
        for (const std::string& query : code_blocks(document(path), "sql")) {
            CAPTURE(query);
            CHECK_NOTHROW(database.exec(query));
            ++queries;
        }
    }
    CHECK(queries >= 7);
    // What the README asks, packaging/quickstart asks, too.
    const std::string quickstart = document("packaging/quickstart");
    for (std::string query : code_blocks(document("README.md"), "sql")) {
        CAPTURE(query);
        query.pop_back();
        CHECK(mentions(quickstart, query));
    }
}

TEST_CASE("documentation: the README is short, and the index of docs is complete") {
    const std::string readme = document("README.md");
    CHECK(std::count(readme.begin(), readme.end(), '\n') <= 200);
    const std::string index = document("docs/README.md");
    for (const std::string& path : all_documents()) {
        if (path.starts_with("docs/") && path != "docs/README.md") {
            CAPTURE(path);
            CHECK(mentions(index, "](" + path.substr(5) + ")"));
        }
    }
}

TEST_CASE("documentation: every link leads somewhere") {
    std::size_t links = 0;
    for (const std::string& path : all_documents()) {
        CAPTURE(path);
        const std::string text = document(path);
        Names all = matches(text, R"(\]\(([^)\s]+)\))");
        all.merge(matches(text, "src=\"([^\"]+)\""));
        for (const std::string& link : all) {
            if (mentions(link, "://")) {
                continue;
            }
            ++links;
            CAPTURE(link);
            const auto hash = std::min(link.find('#'), link.size());
            const std::string target =
                hash == 0 ? path
                          : (std::filesystem::path(path).parent_path() / link.substr(0, hash))
                                .lexically_normal()
                                .string();
            CAPTURE(target);
            CHECK(exists(target));
            if (hash < link.size() && target.ends_with(".md")) {
                CHECK(anchors_of(target).contains(link.substr(hash + 1)));
            }
        }
    }
    CHECK(links >= 60);
    const auto named = matches(document("packaging/quickstart"), R"(\$root/([A-Za-z/]+\.md))");
    CHECK(named.size() == 1);
    for (const std::string& path : named) {
        CAPTURE(path);
        CHECK(exists(path));
    }
}

TEST_CASE("documentation: every path of the project that is named exists") {
    std::size_t paths = 0;
    for (const std::string& document_path : all_documents()) {
        CAPTURE(document_path);
        for (const std::string& path :
             matches(document(document_path),
                     "`((?:core|storage|daemon|tests|packaging|docs)/[A-Za-z0-9_./@-]+)")) {
            CAPTURE(path);
            CHECK(exists(path));
            ++paths;
        }
    }
    CHECK(paths >= 40);
}

TEST_CASE("documentation: every folder has its row in the architecture") {
    Names folders{"tests", "packaging"};
    const std::filesystem::path root = test::project_root;
    for (const char* top : {"core", "storage", "daemon"}) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(root / top)) {
            if (entry.path().extension() == ".hpp") {
                const auto folder = entry.path().parent_path().lexically_relative(root).string();
                if (folder != "daemon") {  // main.cpp and program.cpp, which only start commands
                    folders.insert(folder);
                }
            }
        }
    }
    CHECK(folders.size() >= 17);
    check_documented(documented(section(document("docs/architecture.md"), "Rooms"), "folder"),
                     folders);
}

TEST_CASE("documentation: the man pages") {
    const std::string page = document("packaging/man/copernica-mirror.1.scd");
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
    const auto entries = matches(page, R"(\n\*(copernica_mirror_[a-z_]+))");
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
    CHECK(keys == config_keys().size());
}

TEST_CASE("documentation: completions know every command and option, and no others") {
    const auto options =
        words_after(parse_command_line({"--help-all"}, "1").text.value(), "--", "--");
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

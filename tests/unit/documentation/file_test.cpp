// docs/file.md and the queries in the documents, against a file of the program.
#include <algorithm>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>

#include "tests/unit/documentation/documents.hpp"
#include "tests/unit/documentation/program.hpp"

using namespace mirror::test;

namespace {

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

}  // namespace

TEST_CASE("documentation: every table and view, and each column in the table of its own") {
    const std::string text = document("docs/file.md");
    const auto tables = columns_of_the_file();
    CHECK(tables.size() == 38);
    Names existing;
    for (const auto& columns_of_table : tables) {
        const auto& table = columns_of_table.first;
        const auto& columns = columns_of_table.second;
        CAPTURE(table);
        // "`impressions` (view)"
        const auto name_end = std::min(table.find(' '), table.size());
        const std::string heading = "`" + table.substr(0, name_end) + "`" + table.substr(name_end);
        existing.insert(heading);
        check_documented(documented(section(text, heading), "column"), columns);
    }
    Names found;
    for (const std::string& heading : headings(text)) {
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

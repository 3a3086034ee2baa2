#include "tests/unit/documentation/program.hpp"

#include <regex>
#include <sstream>

#include "daemon/cli/command_line.hpp"
#include "storage/sql.hpp"
#include "storage/stream_schema.hpp"

namespace mirror::test {

std::string help(const std::vector<std::string>& arguments) {
    return daemon::parse_command_line(arguments, "1").text.value();
}

Names commands_of_the_program() {
    const std::string text = help({"--help"});
    const auto begin = text.find("Subcommands:");
    return words_after(text.substr(begin, text.find("\n\n", begin) - begin), "\n  ");
}

Names options_in(const std::string& text) {
    Names options;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        std::smatch match;
        if (std::regex_search(line, match, std::regex("^ +(?:(-[a-zA-Z]), *)?(--[a-z-]+)"))) {
            options.insert(match[2].str());
            if (match[1].matched) {
                options.insert(match[1].str());
            }
        }
    }
    return options;
}

SQLite::Database new_database() {
    SQLite::Database database(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database.exec(storage::sql::schema);
    database.exec(storage::stream_tables_sql());
    database.exec(storage::views_sql());
    return database;
}

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

}  // namespace mirror::test

#include "storage/index_catalogue.hpp"

#include <algorithm>
#include <stdexcept>

#include <SQLiteCpp/Database.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace mirror::storage {
const std::vector<std::string>& optional_indexes() {
    static const std::vector<std::string> all{"mailing", "destination", "profile", "changed_at"};
    return all;
}

const std::vector<std::string>& default_indexes() {
    static const std::vector<std::string> all{"mailing"};
    return all;
}

void check_index_names(const std::set<std::string>& columns) {
    const std::vector<std::string>& known = optional_indexes();
    for (const std::string& name : columns) {
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            throw std::invalid_argument(
                fmt::format("no such index: \"{}\"; known are {}", name, fmt::join(known, ", ")));
        }
    }
}

void match_indexes(SQLite::Database& sql, const Stream& stream,
                   const std::set<std::string>& columns) {
    const std::string table(stream.table);
    for (const std::string& column : optional_indexes()) {
        const bool in_every_row = column == "changed_at";
        if (!in_every_row && !has_column(stream, column)) {
            continue;
        }
        const std::string name = table + "_" + column;
        if (columns.contains(column)) {
            sql.exec("CREATE INDEX IF NOT EXISTS " + name + " ON " + table + " (" + column + ")");
        } else {
            sql.exec("DROP INDEX IF EXISTS " + name);
        }
    }
}

}  // namespace mirror::storage

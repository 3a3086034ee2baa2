// The documents of the project as tests read them: sections, and the rows of their tables.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace mirror::test {

using Names = std::set<std::string>;

/// The text of a file of the project, by its path from the root. Fails the test if it does not
/// exist.
std::string document(const std::string& path);

/// What is below the heading, up to the next heading of its level or above. `heading` is the whole
/// text of the heading, without `#`. Fails the test if the heading is missing.
std::string section(const std::string& text, const std::string& heading);

/// The texts of all headings, without `#`, in their order.
std::vector<std::string> headings(const std::string& text);

/// The cells of one row.
using TableRow = std::vector<std::string>;

/// The rows of all tables in the text whose first column has that title. Fails the test if there is
/// none.
std::vector<TableRow> table_rows(const std::string& text, const std::string& first_title);

/// The names that a cell has in backticks, each without what follows its name: an argument, a
/// label.
std::vector<std::string> names_in(const std::string& cell);

/// The names in the first cells of the tables with that title. A name that has two rows fails the
/// test.
Names documented(const std::string& text, const std::string& first_title);

/// Fails the test for what exists without being documented, and for what is documented without
/// existing.
void check_documented(const Names& documented, const Names& existing);

/// The words (of letters, `_` and `-`) that follow `prefix` in the text, each with `kept` before
/// it.
Names words_after(const std::string& text, const std::string& prefix, const std::string& kept = "");

bool mentions(const std::string& text, const std::string& word);

/// The first group of each match of a regular expression.
Names matches(const std::string& text, const std::string& pattern);

}  // namespace mirror::test

#include "tests/unit/documentation/documents.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

#include <doctest/doctest.h>

#include "tests/paths.hpp"

namespace mirror::test {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

// 0 if the line is not a heading.
std::size_t heading_level(const std::string& line) {
    const auto level = std::min(line.find_first_not_of('#'), line.size());
    return level < line.size() && line[level] == ' ' ? level : 0;
}

// A `#` in a block of code is a comment.
class CodeBlocks {
  public:
    bool inside(const std::string& line) {
        if (line.starts_with("```")) {
            inside_ = !inside_;
            return true;
        }
        return inside_;
    }

  private:
    bool inside_ = false;
};

std::string trimmed(const std::string& text) {
    const auto begin = text.find_first_not_of(' ');
    if (begin == std::string::npos) {
        return "";
    }
    return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

TableRow cells_of(const std::string& line) {
    TableRow cells;
    std::istringstream in(line.substr(1));
    for (std::string cell; std::getline(in, cell, '|');) {
        cells.push_back(trimmed(cell));
    }
    return cells;
}

std::string joined_difference(const Names& all, const Names& less) {
    std::string joined;
    for (const std::string& name : all) {
        if (!less.contains(name)) {
            joined += (joined.empty() ? "" : ", ") + name;
        }
    }
    return joined;
}

}  // namespace

std::string document(const std::string& path) {
    CAPTURE(path);
    std::ifstream in(std::string(project_root) + "/" + path);
    REQUIRE(in.good());
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string section(const std::string& text, const std::string& heading) {
    CAPTURE(heading);
    std::size_t level = 0;
    std::string found;
    CodeBlocks code;
    for (const std::string& line : lines_of(text)) {
        const std::size_t line_level = code.inside(line) ? 0 : heading_level(line);
        if (level == 0) {
            if (line_level > 0 && line.substr(line_level + 1) == heading) {
                level = line_level;
            }
        } else if (line_level > 0 && line_level <= level) {
            break;
        } else {
            found += line + "\n";
        }
    }
    REQUIRE(level > 0);
    return found;
}

std::vector<std::string> headings(const std::string& text) {
    std::vector<std::string> found;
    CodeBlocks code;
    for (const std::string& line : lines_of(text)) {
        if (const auto level = code.inside(line) ? 0 : heading_level(line); level > 0) {
            found.push_back(line.substr(level + 1));
        }
    }
    return found;
}

std::vector<TableRow> table_rows(const std::string& text, const std::string& first_title) {
    CAPTURE(first_title);
    std::vector<TableRow> rows;
    bool in_table = false;
    bool wanted = false;
    for (const std::string& line : lines_of(text)) {
        if (!line.starts_with('|')) {
            in_table = false;
        } else if (!in_table) {
            in_table = true;
            wanted = cells_of(line).front() == first_title;
        } else if (wanted && !line.starts_with("| -")) {
            rows.push_back(cells_of(line));
        }
    }
    REQUIRE(!rows.empty());
    return rows;
}

std::vector<std::string> names_in(const std::string& cell) {
    std::vector<std::string> names;
    for (auto begin = cell.find('`'); begin != std::string::npos;) {
        const auto end = cell.find('`', begin + 1);
        REQUIRE(end != std::string::npos);
        const std::string name = cell.substr(begin + 1, end - begin - 1);
        names.push_back(name.substr(0, name.find_first_of(" {=")));
        begin = cell.find('`', end + 1);
    }
    return names;
}

Names documented(const std::string& text, const std::string& first_title) {
    Names names;
    for (const TableRow& row : table_rows(text, first_title)) {
        CAPTURE(row.front());
        CHECK(row.back() != "");
        const auto found = names_in(row.front());
        CHECK(!found.empty());
        for (const std::string& name : found) {
            CAPTURE(name);
            CHECK(names.insert(name).second);
        }
    }
    return names;
}

void check_documented(const Names& documented, const Names& existing) {
    CHECK(!existing.empty());
    const std::string not_documented = joined_difference(existing, documented);
    CHECK(not_documented == "");
    const std::string does_not_exist = joined_difference(documented, existing);
    CHECK(does_not_exist == "");
}

Names words_after(const std::string& text, const std::string& prefix, const std::string& kept) {
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

Names matches(const std::string& text, const std::string& pattern) {
    const std::regex regex(pattern);
    Names found;
    for (std::sregex_iterator it(text.begin(), text.end(), regex), last; it != last; ++it) {
        found.insert((*it)[1].str());
    }
    return found;
}

}  // namespace mirror::test

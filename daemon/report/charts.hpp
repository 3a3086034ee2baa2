// Charts as SVG, each with a table of its numbers behind it. Pure: they know no mirror.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/report/html_writer.hpp"

namespace mirror::daemon {

/// What every chart has, for people and for their screen readers.
struct ChartText {
    std::string id;     ///< unique in the document
    std::string title;  ///< its heading
    std::string says;   ///< in a sentence what is seen; the picture's description
    std::optional<std::string> nothing{};  ///< said instead of a picture without anything in it
};

/// A table of numbers: a heading for each column, and the first cell of a row names it.
struct Table {
    std::vector<std::string> columns;
    std::vector<std::vector<std::string>> rows;
};

/// For people: the table, or the words instead of it if it has no row.
void write_table(HtmlWriter& html, const Table& table, const std::string& instead);

/// Numbers that add up, such as kinds of opens. `name` picks the colour: a class of the style
/// sheet.
struct Series {
    std::string name;
    std::string label;
    std::vector<std::uint64_t> values;  ///< one for each place of the axis
};

/// A column for each place of the axis, its series one upon the other.
void write_columns(HtmlWriter& html, const ChartText& text, const std::vector<std::string>& axis,
                   const std::vector<Series>& series);

struct Bar {
    std::string label;
    std::uint64_t value = 0;
};

/// A bar for each, beside its label, in their order.
void write_bars(HtmlWriter& html, const ChartText& text, const std::string& unit,
                const std::vector<Bar>& bars);

/// A square for each place; the darker, the more.
void write_heat_map(HtmlWriter& html, const ChartText& text, const std::vector<std::string>& rows,
                    const std::vector<std::string>& columns,
                    const std::vector<std::vector<std::uint64_t>>& values);

/// States in a row, such as days that are whole. `name` picks colour and pattern.
struct Strip {
    std::string label;
    struct Cell {
        std::string name;
        std::string label;
    };
    std::vector<Cell> cells;  ///< one for each place of the axis
};

void write_strips(HtmlWriter& html, const ChartText& text, const std::vector<std::string>& axis,
                  const std::vector<Strip>& strips);

}  // namespace mirror::daemon

#include "daemon/report/charts.hpp"

#include <algorithm>
#include <functional>
#include <string_view>

#include <fmt/format.h>

#include "core/util/printable.hpp"
#include "daemon/cli/terminal_text.hpp"

namespace mirror::daemon {
namespace {

// In the units of the picture, which grows and shrinks with the page.
constexpr double width = 720;
constexpr double label_width = 96;
constexpr double plot_width = width - label_width;
constexpr double line_height = 20;
constexpr double text_drop = 14;  // from the top of a line to where its letters stand
constexpr double column_height = 180;
constexpr double ellipsis = 13;

// Characters of a text that is shown in full: no subject that people write is longer.
constexpr std::size_t most_shown = 200;
// A cell with more than a number or a date is words, which may be broken.
constexpr std::size_t longest_value = 24;

std::string number(double value) {
    return fmt::format("{:.2f}", value);
}

// How wide the character that begins with this byte is at most, in the fonts of 12 pixels that
// browsers have; 0 within a character.
double width_of(char first) {
    const auto byte = static_cast<unsigned char>(first);
    if ((byte & 0xc0U) == 0x80U) {
        return 0;
    }
    if (byte >= 0x80 || std::string_view("MW@%mw").find(first) != std::string_view::npos) {
        return 13;
    }
    if (byte >= 'A' && byte <= 'Z') {
        return 10;
    }
    return std::string_view(" .,:;'()/|il").find(first) != std::string_view::npos ? 5 : 8;
}

// A label that has no room is cut; the table has all of it.
std::string cut(const std::string& label, double room) {
    double taken = 0;
    for (std::size_t at = 0; at < label.size(); ++at) {
        taken += width_of(label[at]);
        if (taken > room) {
            return label.substr(0, at) + "…";
        }
    }
    return label;
}

// Heading, picture, and the table behind it.
void figure(HtmlWriter& html, const ChartText& text, double height, const Table& table,
            const std::function<void()>& picture) {
    html.open("figure");
    html.element("h2", text.title);
    if (text.nothing) {
        html.element("p", *text.nothing);
        html.close();
        return;
    }
    html.open(
        "div",
        {{"class", "picture"}, {"tabindex", "0"}, {"role", "group"}, {"aria-label", text.title}});
    html.open("svg", {{"viewBox", fmt::format("0 0 {} {}", width, height)},
                      {"role", "img"},
                      {"aria-labelledby", text.id + "-title " + text.id + "-says"}});
    html.element("title", text.title, {{"id", text.id + "-title"}});
    html.element("desc", text.says, {{"id", text.id + "-says"}});
    picture();
    html.close();
    html.close();
    html.element("figcaption", text.says);
    html.open("details");
    html.element("summary", "Numbers: " + text.title);
    write_table(html, table, "None.");
    html.close();
    html.close();
}

void label(HtmlWriter& html, double x, double y, const std::string& text, const char* anchor) {
    html.element("text", text, {{"x", number(x)}, {"y", number(y)}, {"text-anchor", anchor}});
}

void rectangle(HtmlWriter& html, double x, double y, double w, double h, const std::string& name,
               const std::string& tip, double opacity = 1) {
    html.open("rect", {{"x", number(x)},
                       {"y", number(y)},
                       {"width", number(w)},
                       {"height", number(h)},
                       {"class", name},
                       {"fill-opacity", number(opacity)}});
    html.element("title", tip);
    html.close();
}

// The first, and some more, so that they do not overlap.
void label_axis(HtmlWriter& html, const std::vector<std::string>& axis, double y) {
    constexpr std::size_t most = 6;
    const std::size_t step = std::max<std::size_t>(1, (axis.size() + most - 1) / most);
    const double each = plot_width / static_cast<double>(std::max<std::size_t>(axis.size(), 1));
    for (std::size_t i = 0; i < axis.size(); i += step) {
        const double x = label_width + each * static_cast<double>(i);
        double wide = 0;
        for (const char c : axis[i]) {
            wide += width_of(c);
        }
        if (x + wide <= width) {  // the last one may have no room
            label(html, x, y, axis[i], "start");
        }
    }
}

std::uint64_t sum_at(const std::vector<Series>& series, std::size_t place) {
    std::uint64_t sum = 0;
    for (const Series& one : series) {
        sum += one.values[place];
    }
    return sum;
}

Table table_of(const std::vector<std::string>& axis, const std::vector<Series>& series) {
    Table table;
    table.columns = {"Day"};
    for (const Series& one : series) {
        table.columns.push_back(one.label);
    }
    for (std::size_t place = 0; place < axis.size(); ++place) {
        std::vector<std::string>& row = table.rows.emplace_back();
        row.push_back(axis[place]);
        for (const Series& one : series) {
            row.push_back(grouped(one.values[place]));
        }
    }
    return table;
}

// A square of the colour and the word for it.
void legend(HtmlWriter& html, const std::vector<Series>& series, double y) {
    constexpr double square = 12;
    constexpr double most_room = 140;
    const double room = std::min(
        most_room, plot_width / static_cast<double>(std::max<std::size_t>(series.size(), 1)));
    double x = label_width;
    for (const Series& one : series) {
        rectangle(html, x, y, square, square, one.name, one.label);
        label(html, x + square + 4, y + square - 2, one.label, "start");
        x += room;
    }
}

}  // namespace

void write_table(HtmlWriter& html, const Table& table, const std::string& instead) {
    if (table.rows.empty()) {
        html.element("p", instead);
        return;
    }
    html.open("div",
              {{"class", "scroll"}, {"tabindex", "0"}, {"role", "group"}, {"aria-label", "Table"}});
    html.open("table");
    html.open("thead");
    html.open("tr");
    for (const std::string& column : table.columns) {
        html.element("th", column, {{"scope", "col"}});
    }
    html.close();
    html.close();
    html.open("tbody");
    for (const std::vector<std::string>& row : table.rows) {
        html.open("tr");
        for (std::size_t cell = 0; cell < row.size(); ++cell) {
            const std::string shown = printable(row[cell], most_shown);
            if (cell == 0) {
                html.element("th", shown, {{"scope", "row"}});
            } else if (shown.size() > longest_value) {
                html.element("td", shown, {{"class", "words"}});
            } else {
                html.element("td", shown);
            }
        }
        html.close();
    }
    html.close();
    html.close();
    html.close();
}

void write_columns(HtmlWriter& html, const ChartText& text, const std::vector<std::string>& axis,
                   const std::vector<Series>& series) {
    std::uint64_t most = 1;
    for (std::size_t place = 0; place < axis.size(); ++place) {
        most = std::max(most, sum_at(series, place));
    }
    const double each = plot_width / static_cast<double>(std::max<std::size_t>(axis.size(), 1));
    const double thick = each * (each > 4 ? 0.8 : 1);
    const double scale = column_height / static_cast<double>(most);
    figure(html, text, line_height + column_height + 3 * line_height, table_of(axis, series), [&] {
        const double base = line_height + column_height;
        label(html, label_width - 8, line_height + 4, grouped(most), "end");
        label(html, label_width - 8, base, "0", "end");
        html.element("line", "",
                     {{"x1", number(label_width)},
                      {"x2", number(width)},
                      {"y1", number(base)},
                      {"y2", number(base)},
                      {"class", "axis"}});
        for (std::size_t place = 0; place < axis.size(); ++place) {
            double top = base;
            for (const Series& one : series) {
                if (one.values[place] == 0) {
                    continue;
                }
                const double high = static_cast<double>(one.values[place]) * scale;
                top -= high;
                rectangle(
                    html, label_width + each * static_cast<double>(place), top, thick, high,
                    one.name,
                    fmt::format("{}: {} {}", axis[place], grouped(one.values[place]), one.label));
            }
        }
        label_axis(html, axis, base + text_drop + 4);
        legend(html, series, base + 2 * line_height);
    });
}

void write_bars(HtmlWriter& html, const ChartText& text, const std::string& unit,
                const std::vector<Bar>& bars) {
    std::uint64_t most = 1;
    Table table;
    table.columns = {text.title, unit};
    for (const Bar& bar : bars) {
        most = std::max(most, bar.value);
        table.rows.push_back({bar.label, grouped(bar.value)});
    }
    const double scale = plot_width / static_cast<double>(most);
    const double each = 2 * line_height;
    figure(html, text, each * static_cast<double>(bars.size()), table, [&] {
        double y = 0;
        for (const Bar& bar : bars) {
            label(html, label_width - 8, y + line_height + 10, grouped(bar.value), "end");
            label(html, label_width, y + text_drop,
                  cut(printable(bar.label, most_shown), plot_width - ellipsis), "start");
            rectangle(html, label_width, y + line_height, static_cast<double>(bar.value) * scale,
                      line_height / 2, "bar", fmt::format("{}: {}", bar.label, grouped(bar.value)));
            y += each;
        }
    });
}

void write_heat_map(HtmlWriter& html, const ChartText& text, const std::vector<std::string>& rows,
                    const std::vector<std::string>& columns,
                    const std::vector<std::vector<std::uint64_t>>& values) {
    std::uint64_t most = 1;
    Table table;
    table.columns = {""};
    table.columns.insert(table.columns.end(), columns.begin(), columns.end());
    table.columns.front() = "Weekday";
    for (std::size_t row = 0; row < rows.size(); ++row) {
        std::vector<std::string>& cells = table.rows.emplace_back();
        cells.push_back(rows[row]);
        for (const std::uint64_t value : values[row]) {
            most = std::max(most, value);
            cells.push_back(grouped(value));
        }
    }
    const double each = plot_width / static_cast<double>(columns.size());
    figure(html, text, line_height * static_cast<double>(rows.size() + 1), table, [&] {
        for (std::size_t row = 0; row < rows.size(); ++row) {
            const double y = line_height * static_cast<double>(row);
            label(html, label_width - 8, y + text_drop, rows[row], "end");
            for (std::size_t column = 0; column < columns.size(); ++column) {
                const std::uint64_t value = values[row][column];
                rectangle(html, label_width + each * static_cast<double>(column), y, each - 1,
                          line_height - 1, value == 0 ? "empty" : "heat",
                          fmt::format("{} {}: {}", rows[row], columns[column], grouped(value)),
                          value == 0 ? 1
                                     : 0.15 + 0.85 * static_cast<double>(value) /
                                                  static_cast<double>(most));
            }
        }
        const double y = line_height * static_cast<double>(rows.size());
        for (std::size_t column = 0; column < columns.size(); column += 3) {
            label(html, label_width + each * static_cast<double>(column), y + text_drop,
                  columns[column], "start");
        }
    });
}

void write_strips(HtmlWriter& html, const ChartText& text, const std::vector<std::string>& axis,
                  const std::vector<Strip>& strips) {
    Table table;
    table.columns = {"Day"};
    for (const Strip& strip : strips) {
        table.columns.push_back(strip.label);
    }
    for (std::size_t place = 0; place < axis.size(); ++place) {
        std::vector<std::string>& row = table.rows.emplace_back();
        row.push_back(axis[place]);
        for (const Strip& strip : strips) {
            row.push_back(strip.cells[place].label);
        }
    }
    const double each = plot_width / static_cast<double>(std::max<std::size_t>(axis.size(), 1));
    const double thick = each > 4 ? each - 1 : each;
    figure(html, text, line_height * static_cast<double>(strips.size() + 1), table, [&] {
        double y = 0;
        for (const Strip& strip : strips) {
            label(html, label_width - 8, y + text_drop, strip.label, "end");
            for (std::size_t place = 0; place < axis.size(); ++place) {
                rectangle(
                    html, label_width + each * static_cast<double>(place), y, thick,
                    line_height - 2, strip.cells[place].name,
                    fmt::format("{} {}: {}", axis[place], strip.label, strip.cells[place].label));
            }
            y += line_height;
        }
        label_axis(html, axis, y + text_drop);
    });
}

}  // namespace mirror::daemon

#include "daemon/report/report_page.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/record/open_rules.hpp"
#include "core/time/text.hpp"
#include "core/util/duration_text.hpp"
#include "daemon/cli/terminal_text.hpp"
#include "daemon/report/charts.hpp"
#include "daemon/report/html_writer.hpp"
#include "daemon/report/report_style.hpp"

namespace mirror::daemon {
namespace {

constexpr const char* absent = "–";
constexpr const char* no_opens = "No opens in this period.";
constexpr const char* not_counted = "Being counted: this shows in a moment.";
constexpr std::size_t most_runs = 20;
constexpr std::size_t most_bars = 10;

std::vector<LocalTime> days_of(const LocalPeriod& period) {
    std::vector<LocalTime> days;
    for (LocalTime day = period.begin; day < period.end; day += std::chrono::days(1)) {
        days.push_back(day);
    }
    return days;
}

std::vector<std::string> names_of(const std::vector<LocalTime>& days) {
    std::vector<std::string> names;
    names.reserve(days.size());
    for (const LocalTime day : days) {
        names.push_back(format_day(day));
    }
    return names;
}

std::string shown(const std::optional<std::uint64_t>& number) {
    return number ? grouped(*number) : absent;
}

// A text that shows: nothing, and nothing but spaces, would be an empty cell.
std::string named(const std::string& text, const char* instead) {
    return text.find_first_not_of(' ') == std::string::npos ? instead : text;
}

std::string percent(const std::optional<std::uint64_t>& part,
                    const std::optional<std::uint64_t>& whole) {
    if (!part || !whole || *whole == 0) {
        return absent;
    }
    return fmt::format("{:.1f} %", 100 * static_cast<double>(*part) / static_cast<double>(*whole));
}

std::string local_text(const Zone& zone, const std::optional<Instant>& at) {
    return at ? format_local(zone.to_local(*at)) : absent;
}

// What stands in the place of counts that are not there.
const char* without(const Report& report, const char* instead) {
    return report.counted ? instead : not_counted;
}

void section(HtmlWriter& html, const std::string& title, const Table& table,
             const std::string& instead) {
    html.open("section");
    html.element("h2", title);
    write_table(html, table, instead);
    html.close();
}

void write_head(HtmlWriter& html, const Report& report, const Zone& zone) {
    const std::string of = report.file.account ? report.file.account->name : std::string();
    html.open("header");
    html.element("h1", of.empty() ? "Mail events" : "Mail events of " + of);
    html.element("p", fmt::format("{} to {}, in the time of {}. Made {} by copernica-mirror.",
                                  format_day(report.period.begin),
                                  format_day(report.period.end - std::chrono::days(1)), zone.name(),
                                  format_local(zone.to_local(report.now))));
    if (report.served) {
        html.element("p", report.counted ? fmt::format("Opens, mailings and rejects as of {}.",
                                                       format_local(zone.to_local(*report.counted)))
                                         : "Opens, mailings and rejects are being counted.");
        // Who reads slowly, or by ear, can keep it.
        html.open("p");
        html.element("a", "Reload it every minute", {{"href", "/"}});
        html.text(" or ");
        html.element("a", "leave it as it is", {{"href", "/still"}});
        html.text(".");
        html.close();
    }
    html.close();
}

void write_streams(HtmlWriter& html, const Report& report, const Zone& zone) {
    Table table;
    table.columns = {"Events",  "Rows",          "Not returned any more",
                     "Rejects", "Complete from", "Complete through",
                     "Gaps"};
    for (const Status& status : report.statuses) {
        const std::string name(status.stream->name);
        table.rows.push_back(
            {status.followed ? name : name + " (not followed any more)", grouped(status.rows),
             grouped(status.removed), grouped(status.rejects),
             local_text(zone,
                        status.complete ? std::optional(status.complete->begin) : std::nullopt),
             local_text(zone, status.complete ? std::optional(status.complete->end) : std::nullopt),
             grouped(status.gaps.size())});
    }
    section(html, "What the file holds", table, "Nothing yet.");
}

Strip::Cell cell_of(DayState state) {
    switch (state) {
        case DayState::whole:
            return {"whole", "complete"};
        case DayState::partly:
            return {"partly", "in part"};
        case DayState::none:
            return {"none", "missing"};
        case DayState::unwanted:
            return {"ahead", "not mirrored, or not kept"};
        case DayState::ahead:
            break;
    }
    return {"ahead", "not yet"};
}

MirroredPeriod mirrored_period(const storage::FileStatus& file, const Status& status,
                               const Zone& zone) {
    MirroredPeriod mirrored;
    mirrored.coverage = file.of(*status.stream).coverage;
    mirrored.followed = status.followed;
    if (status.wanted_from) {
        mirrored.wanted_from = *status.wanted_from;
    }
    if (status.erased_before) {
        mirrored.kept_from = zone.earliest(*status.erased_before);
    }
    return mirrored;
}

void write_coverage(HtmlWriter& html, const Report& report, const Zone& zone,
                    const std::vector<LocalTime>& days) {
    std::vector<Strip> strips;
    std::size_t whole = 0;
    std::size_t all = 0;
    for (const Status& status : report.statuses) {
        Strip& strip = strips.emplace_back();
        strip.label = status.stream->name;
        const MirroredPeriod mirrored = mirrored_period(report.file, status, zone);
        for (const LocalTime day : days) {
            const DayState state = state_of_day(mirrored, day, zone, report.now);
            whole += state == DayState::whole ? 1 : 0;
            all += state == DayState::unwanted ? 0 : 1;
            strip.cells.push_back(cell_of(state));
        }
    }
    write_strips(html,
                 {"coverage", "How complete each day is",
                  fmt::format("{} of {} days are complete, counted for each kind of event. Green: "
                              "complete; yellow: in part; red: missing; grey: not yet, not "
                              "mirrored, or not kept.",
                              grouped(whole), grouped(all))},
                 names_of(days), strips);
}

void write_opens(HtmlWriter& html, const Report& report, const std::vector<std::string>& days) {
    std::vector<Series> series;
    for (const std::string& kind : open_kinds()) {
        series.push_back({kind, kind, std::vector<std::uint64_t>(days.size())});
    }
    series.push_back({"unknown", "unknown", std::vector<std::uint64_t>(days.size())});
    std::uint64_t sum = 0;
    for (const auto& [day, kinds] : report.numbers.opens_by_day) {
        const auto place = std::find(days.begin(), days.end(), day);
        for (const auto& [kind, opens] : kinds) {
            auto one =
                std::find_if(series.begin(), series.end(),
                             [&name = kind](const Series& other) { return other.name == name; });
            if (one == series.end()) {
                one = series.end() - 1;
            }
            if (place != days.end()) {
                one->values[static_cast<std::size_t>(place - days.begin())] += opens;
                sum += opens;
            }
        }
    }
    // A kind that does not occur takes no room.
    std::erase_if(series, [](const Series& one) {
        return std::all_of(one.values.begin(), one.values.end(),
                           [](std::uint64_t value) { return value == 0; });
    });
    ChartText text{"opens", "Opens a day, by what opened",
                   fmt::format("{} opens. What counts as a person is what no rule knows as a "
                               "program: people behind a proxy are missing, and a scanner that "
                               "names a usual browser is counted.",
                               grouped(sum))};
    if (sum == 0) {
        text.nothing = without(report, no_opens);
    }
    write_columns(html, text, days, series);
}

void write_hours(HtmlWriter& html, const Report& report) {
    const std::vector<std::string> weekdays{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                            "Friday", "Saturday", "Sunday"};
    std::vector<std::string> hours;
    std::vector<std::vector<std::uint64_t>> values;
    for (int hour = 0; hour < 24; ++hour) {
        hours.push_back(fmt::format("{:02}", hour));
    }
    std::pair<std::size_t, std::size_t> most{0, 0};
    for (std::size_t day = 0; day < weekdays.size(); ++day) {
        const auto& row = report.numbers.opens_by_hour[day];
        values.emplace_back(row.begin(), row.end());
        for (std::size_t hour = 0; hour < row.size(); ++hour) {
            if (row[hour] > values[most.first][most.second]) {
                most = {day, hour};
            }
        }
    }
    const std::uint64_t opens = values[most.first][most.second];
    ChartText text{"hours", "Opens by weekday and hour",
                   fmt::format("Most opens come on {} from {}:00: {}.", weekdays[most.first],
                               hours[most.second], grouped(opens))};
    if (opens == 0) {
        text.nothing = without(report, no_opens);
    }
    write_heat_map(html, text, weekdays, hours, values);
}

void write_mailings(HtmlWriter& html, const Report& report, const std::string& title,
                    const std::vector<storage::MailingResult>& mailings) {
    Table table;
    table.columns = {"Subject", "Sent",      "Destinations", "Deliveries",
                     "Opened",  "By people", "Clicked"};
    for (const storage::MailingResult& mailing : mailings) {
        table.rows.push_back({named(mailing.subject, "(no subject)"), mailing.sent_at,
                              shown(mailing.destinations), shown(mailing.deliveries),
                              percent(mailing.unique_opens, mailing.deliveries),
                              percent(mailing.unique_person_opens, mailing.deliveries),
                              percent(mailing.unique_clicks, mailing.deliveries)});
    }
    section(html, title, table,
            without(report,
                    "No mailing that was sent in the period is in the file; the kind of event "
                    "\"mailings\" has them."));
}

void write_counts(HtmlWriter& html, const Report& report, ChartText text,
                  const std::vector<storage::ReportNumbers::Count>& counts) {
    std::vector<Bar> bars;
    for (const auto& [name, opens] : counts) {
        bars.push_back({named(name, "(not named)"), opens});
    }
    bars.resize(std::min(bars.size(), most_bars));
    if (bars.empty()) {
        text.nothing = without(report, no_opens);
    }
    write_bars(html, text, "Opens", bars);
}

void write_lateness(HtmlWriter& html, const Report& report) {
    Table table;
    table.columns = {"Events", "Late rows", "Half within", "99 % within", "Latest"};
    for (const Status& status : report.statuses) {
        if (status.lateness) {
            table.rows.push_back({std::string(status.stream->name), grouped(status.lateness->rows),
                                  duration_text(status.lateness->median),
                                  duration_text(status.lateness->percentile_99),
                                  duration_text(status.lateness->largest)});
        }
    }
    section(html, "How late rows come", table, "No row came late yet.");
}

void write_rejects(HtmlWriter& html, const Report& report) {
    Table table;
    table.columns = {"Reason", "Events", "Records"};
    for (const storage::RejectReason& reject : report.numbers.rejects) {
        table.rows.push_back(
            {named(reject.reason, "(no reason)"), reject.stream, grouped(reject.records)});
    }
    section(html, "What could not be stored as rows", table,
            without(report, "Everything could be stored."));
}

void write_runs(HtmlWriter& html, const Report& report, const Zone& zone) {
    std::vector<std::pair<const Stream*, const storage::StoredRun*>> runs;
    for (const Status& status : report.statuses) {
        for (const storage::StoredRun& run : report.file.of(*status.stream).runs) {
            runs.emplace_back(status.stream, &run);
        }
    }
    std::stable_sort(runs.begin(), runs.end(), [](const auto& a, const auto& b) {
        return a.second->run.started > b.second->run.started;
    });
    runs.resize(std::min(runs.size(), most_runs));
    Table table;
    table.columns = {"Began", "Command", "Events", "Took", "Requests", "New", "Changed", "Outcome"};
    for (const auto& [stream, stored] : runs) {
        const sync::RunRecord& run = stored->run;
        table.rows.push_back(
            {format_local(zone.to_local(run.started)), run.kind, std::string(stream->name),
             run.ended ? duration_text(*run.ended - run.started) : absent, grouped(run.requests),
             grouped(run.written.inserted), grouped(run.written.updated), run.outcome});
    }
    section(html, "The last runs", table, "No run is written down.");
}

}  // namespace

DayState state_of_day(const MirroredPeriod& mirrored, LocalTime day, const Zone& zone,
                      Instant now) {
    const Window window{zone.earliest(day), zone.earliest(day + std::chrono::days(1))};
    if (window.end <= mirrored.kept_from) {
        return DayState::unwanted;
    }
    if (mirrored.coverage.contains(window)) {
        return mirrored.kept_from <= window.begin ? DayState::whole : DayState::partly;
    }
    if (!mirrored.coverage.within(window).empty()) {
        return DayState::partly;
    }
    if (window.end <= mirrored.wanted_from || !mirrored.followed) {
        return DayState::unwanted;
    }
    return window.begin >= now ? DayState::ahead : DayState::none;
}

std::string report_page(const Report& report, const Zone& zone) {
    const std::vector<LocalTime> days = days_of(report.period);
    const std::vector<std::string> names = names_of(days);
    HtmlWriter html;
    html.doctype();
    html.open("html", {{"lang", "en"}});
    html.open("head");
    html.single("meta", {{"charset", "utf-8"}});
    html.single("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
    // Nothing is loaded and no script runs, whatever a text of the API might try.
    html.single("meta", {{"http-equiv", "Content-Security-Policy"},
                         {"content", "default-src 'none'; style-src 'unsafe-inline'"}});
    html.element("title", "copernica-mirror: report");
    html.style(report_style);
    html.close();
    html.open("body");
    write_head(html, report, zone);
    html.open("main");
    write_streams(html, report, zone);
    write_coverage(html, report, zone, days);
    write_opens(html, report, names);
    write_hours(html, report);
    write_mailings(html, report, "The newest mailings", report.numbers.newest);
    write_mailings(html, report, "The biggest mailings", report.numbers.biggest);
    write_counts(html, report, {"devices", "Devices", "On which devices mailings were opened."},
                 report.numbers.devices);
    write_counts(html, report,
                 {"programs", "Programs",
                  "The programs that opened most. The program of a proxy hides the person's."},
                 report.numbers.programs);
    write_lateness(html, report);
    write_rejects(html, report);
    write_runs(html, report, zone);
    return html.take();
}

}  // namespace mirror::daemon

// The report: escaping in one place, charts with their tables, and nothing of a person.
#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "daemon/process/usage_error.hpp"
#include "daemon/report/charts.hpp"
#include "daemon/report/html_writer.hpp"
#include "daemon/report/report_command.hpp"
#include "daemon/report/report_page.hpp"
#include "tests/support/times.hpp"

using namespace mirror;
using namespace mirror::daemon;
using mirror::tests::local;
using mirror::tests::utc;

namespace {

const Zone& amsterdam() {
    static const Zone zone("Europe/Amsterdam");
    return zone;
}

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++count;
    }
    return count;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// Whether each element ends, in the order in which they begin: what stands between "<" and ">".
std::string first_unbalanced(const std::string& html) {
    const std::vector<std::string> without_end{"meta", "!DOCTYPE"};
    std::vector<std::string> open;
    for (auto at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
        const std::string tag = html.substr(at + 1, html.find_first_of(" >", at) - at - 1);
        if (std::find(without_end.begin(), without_end.end(), tag) != without_end.end()) {
            continue;
        }
        if (!tag.starts_with('/')) {
            open.push_back(tag);
        } else if (open.empty() || open.back() != tag.substr(1)) {
            return tag;
        } else {
            open.pop_back();
        }
    }
    return open.empty() ? "" : open.back();
}

const std::string hostile =
    "</title></table><script>alert('1')</script>\" onload=\"x\"\x1b[2J\n&amp;";

Report report_of_three_days() {
    Report report;
    report.now = utc("2026-03-03 11:00:00");
    report.counted = report.now;
    report.period = {local("2026-03-01 00:00:00"), local("2026-03-04 00:00:00")};
    report.file.time_zone = "Europe/Amsterdam";
    report.file.account = {"34", "Shop"};
    storage::StreamStatus& opens = report.file.streams.emplace_back();
    opens.stream = &streams().front();
    opens.coverage.add({utc("2026-02-27 00:00:00"), utc("2026-03-02 12:00:00")});
    opens.rows = 123456;
    storage::StoredRun& run = opens.runs.emplace_back();
    run.run.kind = "sync";
    run.run.started = utc("2026-03-03 10:00:00");
    run.run.ended = utc("2026-03-03 10:00:45");
    run.run.outcome = "failed: <b>no</b>";
    report.statuses = assess_all(report.file, {&streams().front()}, report.now);
    return report;
}

}  // namespace

TEST_CASE("report: every text and value is escaped") {
    HtmlWriter html;
    html.open("p", {{"title", "a\"b'<>&"}});
    html.text("<script> & \"x\" \x1b");
    html.single("meta", {{"name", "<"}});
    html.element("b", "'");
    CHECK(html.take() ==
          "<p title=\"a&quot;b&#39;&lt;&gt;&amp;\">&lt;script&gt; &amp; &quot;x&quot; "
          "\\u001b<meta name=\"&lt;\">\n<b>&#39;</b>\n</p>\n");
}

TEST_CASE("report: a chart has a title, a sentence, and all of its numbers in a table") {
    HtmlWriter html;
    write_columns(html, {"x", "Opens", "Three."}, {"Monday", "Tuesday"},
                  {{"person", "people", {1, 0}}, {"proxy", "proxies", {2, 1200}}});
    const std::string text = html.take();
    CHECK(first_unbalanced(text).empty());
    CHECK(has(text, "role=\"img\" aria-labelledby=\"x-title x-says\""));
    CHECK(has(text, "<title id=\"x-title\">Opens</title>"));
    CHECK(has(text, "<desc id=\"x-says\">Three.</desc>"));
    CHECK(has(text, "<details>"));
    CHECK(has(text, "<th scope=\"row\">Tuesday</th>\n<td>0</td>\n<td>1,200</td>\n"));
    CHECK(has(text, "<title>Tuesday: 1,200 proxies</title>"));
    CHECK(count_of(text, "class=\"person\"") == 2);  // a column, and the legend
}

TEST_CASE("report: charts without anything in them") {
    HtmlWriter html;
    write_columns(html, {"a", "A", ""}, {}, {});
    write_bars(html, {"b", "B", ""}, "Opens", {});
    write_strips(html, {"c", "C", ""}, {"Monday"}, {});
    write_heat_map(html, {"d", "D", ""}, {"Monday"}, {"00"}, {{0}});
    const std::string text = html.take();
    CHECK(first_unbalanced(text).empty());
    CHECK_FALSE(has(text, "nan"));
    CHECK_FALSE(has(text, "inf"));
    CHECK(count_of(text, "None.") == 2);
}

TEST_CASE("report: days are whole, in part, missing, or not yet there") {
    MirroredPeriod mirrored;
    mirrored.coverage.add(Window{utc("2026-02-28 23:00:00"), utc("2026-03-02 12:00:00")});
    const Instant now = utc("2026-03-03 11:00:00");
    const auto state = [&](const char* day) {
        return state_of_day(mirrored, local(day), amsterdam(), now);
    };
    CHECK(state("2026-02-28 00:00:00") == DayState::none);
    CHECK(state("2026-03-01 00:00:00") == DayState::whole);
    CHECK(state("2026-03-02 00:00:00") == DayState::partly);
    CHECK(state("2026-03-03 00:00:00") == DayState::none);
    CHECK(state("2026-03-04 00:00:00") == DayState::ahead);
    // Nothing is missing where nothing is wanted.
    mirrored.wanted_from = utc("2026-02-28 23:00:00");
    CHECK(state("2026-02-28 00:00:00") == DayState::unwanted);
    CHECK(state("2026-03-03 00:00:00") == DayState::none);
    mirrored.kept_from = utc("2026-03-01 23:00:00");
    CHECK(state("2026-03-01 00:00:00") == DayState::unwanted);  // erased since it was complete
    CHECK(state("2026-03-02 00:00:00") == DayState::partly);
    mirrored.kept_from = utc("2026-03-01 11:00:00");
    CHECK(state("2026-03-01 00:00:00") == DayState::partly);  // erased in part
    mirrored.followed = false;
    CHECK(state("2026-03-02 00:00:00") == DayState::partly);
    CHECK(state("2026-03-03 00:00:00") == DayState::unwanted);
    // The night in which clocks go back has 25 hours.
    MirroredPeriod short_of;
    short_of.coverage.add(Window{utc("2026-10-24 22:00:00"), utc("2026-10-25 22:59:59")});
    CHECK(state_of_day(short_of, local("2026-10-25 00:00:00"), amsterdam(), now) ==
          DayState::partly);
}

TEST_CASE("report: an account with nothing in it has words for that") {
    Report report = report_of_three_days();
    report.file = {};
    report.statuses = assess_all(report.file, {&streams().front()}, report.now);
    const std::string page = report_page(report, amsterdam());
    CHECK(first_unbalanced(page).empty());
    CHECK(count_of(page, "<p>No opens in this period.</p>") == 4);
    CHECK(has(page, "0 of 3 days are complete"));
    CHECK(has(page, "Everything could be stored."));
    CHECK(has(page, "No row came late yet."));
    CHECK(has(page, "No run is written down."));
    CHECK(has(page, "No mailing that was sent in the period is in the file"));
}

TEST_CASE("report: until it is counted, it says so, and how complete the file is") {
    Report report = report_of_three_days();
    report.served = true;
    report.counted = std::nullopt;
    const std::string page = report_page(report, amsterdam());
    CHECK(first_unbalanced(page).empty());
    CHECK(has(page, "<p>Opens, mailings and rejects are being counted.</p>"));
    // Four charts, two tables of mailings, and the rejects.
    CHECK(count_of(page, "<p>Being counted: this shows in a moment.</p>") == 7);
    CHECK_FALSE(has(page, "No opens"));
    CHECK_FALSE(has(page, "Everything could be stored"));
    CHECK(has(page, "1 of 3 days are complete"));
    // Counts may be older than the rest.
    report.counted = utc("2026-03-03 10:59:00");
    CHECK(has(report_page(report, amsterdam()),
              "<p>Opens, mailings and rejects as of 2026-03-03 11:59:00.</p>"));
}

TEST_CASE("report: numbers and rates") {
    Report report = report_of_three_days();
    report.numbers.opens_by_day["2026-03-01"]["person"] = 5000;
    report.numbers.opens_by_day["2026-03-02"]["proxy"] = 7;
    report.numbers.opens_by_day["2026-03-02"][""] = 3;
    report.numbers.opens_by_hour[6][23] = 4321;
    report.numbers.devices = {{"desktop", 5000}, {"", 10}};
    report.numbers.rejects.push_back({"clicks", "no usable ID", 12});
    storage::MailingResult mailing;
    mailing.subject = "Spring";
    mailing.sent_at = "2026-03-01 10:00:00";
    mailing.destinations = 4200;
    mailing.deliveries = 4000;
    mailing.unique_opens = 1000;
    mailing.unique_person_opens = 790;
    report.numbers.newest.push_back(mailing);
    const std::string page = report_page(report, amsterdam());
    CHECK(first_unbalanced(page).empty());
    CHECK(has(page, "<h1>Mail events of Shop</h1>"));
    CHECK(has(page,
              "2026-03-01 to 2026-03-03, in the time of Europe/Amsterdam. Made 2026-03-03 "
              "12:00:00"));
    CHECK(has(page, "1 of 3 days are complete"));
    CHECK(has(page, "5,010 opens."));
    CHECK(has(page, "Most opens come on Sunday from 23:00: 4,321."));
    CHECK(has(page,
              "<th scope=\"row\">Spring</th>\n<td>2026-03-01 10:00:00</td>\n<td>4,200</td>\n"
              "<td>4,000</td>\n<td>25.0 %</td>\n<td>19.8 %</td>\n<td>–</td>\n"));
    CHECK(has(page, "(not named)"));
    CHECK(has(page, "<th scope=\"row\">no usable ID</th>\n<td>clicks</td>\n<td>12</td>"));
    CHECK(has(page, "<td>45 s</td>"));
    CHECK(has(page, "failed: &lt;b&gt;no&lt;/b&gt;"));
    // Kinds that do not occur have no column.
    CHECK_FALSE(has(page, "<th scope=\"col\">scanner</th>"));
}

TEST_CASE("report: no text of the API becomes markup, and nothing is loaded") {
    Report report = report_of_three_days();
    report.file.account->name = hostile;
    report.numbers.devices = {{hostile, 1}};
    report.numbers.programs = {{hostile, 1}};
    report.numbers.opens_by_day["2026-03-01"][hostile] = 1;
    report.numbers.rejects.push_back({hostile, hostile, 1});
    storage::MailingResult mailing;
    mailing.subject = hostile;
    report.numbers.newest.push_back(mailing);
    report.numbers.biggest.push_back(mailing);
    report.file.streams.front().runs.front().run.outcome = hostile;
    report.numbers.programs.emplace_back(std::string(5000, 'W'), 1);
    report.numbers.programs.emplace_back("   ", 1);
    const std::string page = report_page(report, amsterdam());
    CHECK(first_unbalanced(page).empty());
    CHECK(count_of(page, "&lt;script&gt;") >= 6);
    // A word without end is cut in a table, and more so in a picture.
    CHECK(has(page, "<th scope=\"row\">" + std::string(200, 'W') + "…</th>"));
    CHECK(has(page, "\">" + std::string(47, 'W') + "…</text>"));
    CHECK(has(page, "<th scope=\"row\">(not named)</th>"));
    CHECK_FALSE(has(page, "<script"));
    CHECK_FALSE(has(page, "\" onload"));
    CHECK_FALSE(has(page, "\x1b"));
    CHECK_FALSE(has(page, "http:"));
    CHECK_FALSE(has(page, "https:"));
    CHECK_FALSE(has(page, "src="));
    CHECK(has(page, "default-src &#39;none&#39;"));
}

TEST_CASE("report: the period is whole days, by default the last thirty") {
    const Instant now = utc("2026-03-03 23:30:00");  // the fourth already, in Amsterdam
    CommandLine line;
    const auto period = [&] {
        const LocalPeriod days = report_period(line, now, amsterdam());
        return format_local(days.begin) + " " + format_local(days.end);
    };
    CHECK(period() == "2026-02-03 00:00:00 2026-03-05 00:00:00");
    line.to = local("2026-02-01 00:00:00");
    CHECK(period() == "2026-01-02 00:00:00 2026-02-01 00:00:00");
    line.from = local("2026-01-31 12:00:00");
    line.to = local("2026-01-31 13:00:00");
    CHECK(period() == "2026-01-31 00:00:00 2026-02-01 00:00:00");
    line.from = local("2026-02-01 00:00:00");
    CHECK_THROWS_WITH_AS(
        period(),
        "--from 2026-02-01 must be before --to 2026-02-01; name an earlier --from or a later --to",
        UsageError);
    line.from = local("2020-01-01 00:00:00");
    CHECK_THROWS_WITH_AS(period(), doctest::Contains("a report has at most 1100 days"), UsageError);
}

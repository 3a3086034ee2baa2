// The views daily, mailing_results, reject_reasons, recent_runs and lateness_by_hour.
#include <string>

#include <doctest/doctest.h>

#include "tests/support/times.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;

namespace {

constexpr std::int64_t hour = 3600;
constexpr std::int64_t day = 24 * hour;

}  // namespace

TEST_CASE("daily: events by local day, and whether the day is covered") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    // Noon is 13:00 there: this is from 23:30 of the day before to 00:30 of the day after.
    const Window window = noon_window(-13 * hour - hour / 2, 11 * hour + hour / 2);
    copernica::Page page;
    for (const std::int64_t at :
         {-13 * hour - 60, -13 * hour, std::int64_t{0}, 11 * hour - 1, 11 * hour}) {
        page.rows.push_back(row(page, at + 2 * day, at));
        page.rows.back().integers[1] = at < 0 ? 7 : 8;  // the destination
    }
    file.writer(impressions).commit(whole(window, std::move(page)), noon(day), at(noon(day)));
    CHECK(lines_of(path, "SELECT day, stream, events, destinations, complete FROM daily") ==
          "2026-02-28|impressions|1|1|0\n"
          "2026-03-01|impressions|3|2|1\n"
          "2026-03-02|impressions|1|1|0\n");
    // A second short of midnight is not all of the day.
    meddle(path, "UPDATE coverage SET local_end = '2026-03-01 23:59:59'");
    CHECK(lines_of(path, "SELECT complete FROM daily WHERE day = '2026-03-01'") == "0\n");
    meddle(path, "UPDATE coverage SET local_end = '2026-03-02 00:00:00'");
    CHECK(lines_of(path, "SELECT complete FROM daily WHERE day = '2026-03-01'") == "1\n");
    // Nor is a day of which a part was erased.
    file.writer(impressions).set_fact("erased_before", "2026-03-01 00:00:00");
    CHECK(lines_of(path, "SELECT complete FROM daily WHERE day = '2026-03-01'") == "1\n");
    file.writer(impressions).set_fact("erased_before", "2026-03-01 00:00:01");
    CHECK(lines_of(path, "SELECT complete FROM daily WHERE day = '2026-03-01'") == "0\n");
    // What the API does not return any more does not count.
    meddle(path, "UPDATE impression_rows SET removed_at = 1");
    CHECK(lines_of(path, "SELECT * FROM daily") == "");
}

TEST_CASE("daily: the coverage of one stream does not count for another") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    make_mirror(path);
    meddle(path,
           "INSERT INTO click_rows (id, timestamp, destination, first_seen, changed_at) "
           "VALUES (1, '2026-03-01 00:00:00', 5, 1, 1)");
    meddle(path,
           "INSERT INTO mailing_rows (id, timestamp, first_seen, changed_at) "
           "VALUES (1, '2026-03-01 00:00:00', 1, 1)");
    meddle(path,
           "UPDATE coverage SET local_begin = '2026-02-01 00:00:00', "
           "local_end = '2026-04-01 00:00:00'");
    CHECK(lines_of(path, "SELECT stream, destinations, complete FROM daily ORDER BY stream") ==
          "clicks|1|0\nimpressions|1|1\nmailings||0\n");
}

TEST_CASE("mailing results: numbers and rates, NULL if something is not complete") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    make_mirror(path);
    meddle(path, "DELETE FROM impression_rows");
    meddle(path, "DELETE FROM coverage");
    meddle(
        path,
        "INSERT INTO mailing_rows (id, timestamp, subject, destinations, first_seen, changed_at, "
        "removed_at) VALUES (1, '2026-03-01 10:00:00', 'Spring', 4, 1, 1, NULL), "
        "(2, '2026-03-02 10:00:00', 'None', 0, 1, 1, NULL), "
        "(3, '2026-03-03 10:00:00', 'Gone', 9, 1, 1, 1)");
    const auto add = [&path](const std::string& table, const std::string& rows) {
        meddle(path,
               "INSERT INTO " + table +
                   " (id, mailing, destination, timestamp, first_seen, changed_at, removed_at) "
                   "SELECT value, 1, value % 10, '2026-03-01 11:00:00', 1, 1, NULL "
                   "FROM json_each('" +
                   rows + "')");
    };
    add("delivery_rows", "[1, 2, 3, 4]");
    add("error_rows", "[1, 4]");
    add("impression_rows", "[1, 11, 2, 3, 4]");  // of three destinations, and one that is removed
    add("click_rows", "[1, 11, 21, 4]");         // of one
    add("unsubscribe_rows", "[1, 4]");
    add("abuse_rows", "[2, 3, 4]");
    for (const std::string table : {"delivery_rows", "error_rows", "impression_rows", "click_rows",
                                    "unsubscribe_rows", "abuse_rows"}) {
        meddle(path, "UPDATE " + table + " SET removed_at = 1 WHERE id = 4");
    }
    // Destination 1 opened by a proxy and in person, 2 in person, 3 by a program that is unknown.
    meddle(path,
           "INSERT INTO user_agents (id, useragent) VALUES (7, 'a proxy'), (8, 'a person''s')");
    meddle(path,
           "INSERT INTO open_kinds (user_agent, kind, valid_from, valid_to) VALUES "
           "(7, 'proxy', '0000-01-01', '9999-12-32'), (8, 'person', '0000-01-01', '9999-12-32')");
    meddle(path,
           "UPDATE impression_rows SET user_agent = CASE id WHEN 1 THEN 7 WHEN 3 THEN NULL ELSE 8 "
           "END");
    const auto cover = [&path](const std::string& stream, const std::string& begin) {
        meddle(path,
               "INSERT INTO coverage (stream, age, \"begin\", \"end\", local_begin, local_end) "
               "VALUES ('" +
                   stream + "', 0, unixepoch('" + begin + "'), 2000000000, '" + begin +
                   "', '2026-04-01 00:00:00')");
    };
    for (const char* const stream : {"mailings", "deliveries", "errors", "impressions", "clicks"}) {
        cover(stream, "2026-01-01 00:00:00");
    }
    cover("unsubscribes", "2026-03-01 10:00:01");  // a second too late
    CHECK(lines_of(path,
                   "SELECT mailing, subject, sent_at, destinations, deliveries, bounces, opens, "
                   "unique_opens, unique_person_opens, clicks, unique_clicks, unsubscribes, abuses "
                   "FROM mailing_results ORDER BY mailing") ==
          "1|Spring|2026-03-01 10:00:00|4|3|1|4|3|2|3|1||\n"
          "2|None|2026-03-02 10:00:00|0|0|0|0|0|0|0|0|0|\n");
    CHECK(lines_of(path,
                   "SELECT bounce_rate_of_destinations, open_rate_of_deliveries, "
                   "round(person_open_rate_of_deliveries, 3), "
                   "round(click_rate_of_deliveries, 3), round(click_rate_of_opens, 3), "
                   "unsubscribe_rate_of_deliveries, abuse_rate_of_deliveries "
                   "FROM mailing_results ORDER BY mailing") ==
          "0.25|1.0|0.667|0.333|0.333||\n"
          "||||||\n");
    // A stream that is not mirrored any more has what came up to a month before its newest read.
    meddle(path, "UPDATE coverage SET \"end\" = \"end\" - 172801 WHERE stream = 'clicks'");
    meddle(path, "UPDATE coverage SET local_end = '2026-04-20 00:00:00' WHERE stream = 'clicks'");
    CHECK(lines_of(path, "SELECT opens, clicks FROM mailing_results WHERE mailing = 1") == "4|\n");
    meddle(path, "UPDATE mailing_rows SET timestamp = '2026-02-28 10:00:00' WHERE id = 1");
    CHECK(lines_of(path, "SELECT opens, clicks FROM mailing_results WHERE mailing = 1") == "4|3\n");
    meddle(path, "UPDATE mailing_rows SET timestamp = '2026-03-01 10:00:00' WHERE id = 1");
    meddle(path,
           "UPDATE coverage SET \"end\" = \"end\" + 1, local_end = '2026-04-01 00:00:00' "
           "WHERE stream = 'clicks'");
    CHECK(lines_of(path, "SELECT opens, clicks FROM mailing_results WHERE mailing = 1") == "4|3\n");
    // A gap after the mailing was sent: only what is whole from then on counts.
    cover("clicks", "2026-03-01 10:30:00");
    CHECK(lines_of(path, "SELECT opens, clicks FROM mailing_results WHERE mailing = 1") == "4|\n");
    // Nor what was erased since; and a bound alone makes nothing whole.
    meddle(path,
           "INSERT INTO mirror VALUES ('impressions', 'erased_before', '2026-03-01 10:30:00'), "
           "('abuses', 'erased_before', '2026-01-01 00:00:00')");
    CHECK(lines_of(path, "SELECT opens, abuses FROM mailing_results WHERE mailing = 1") == "|\n");
    CHECK(lines_of(path, "SELECT opens, abuses FROM mailing_results WHERE mailing = 2") == "0|\n");
    meddle(path, "DELETE FROM coverage WHERE stream = 'unsubscribes'");
    cover("unsubscribes", "2026-03-01 10:00:00");
    cover("abuses", "2026-03-01 10:00:00");
    CHECK(lines_of(path,
                   "SELECT unsubscribes, abuses, round(unsubscribe_rate_of_deliveries, 3), "
                   "round(abuse_rate_of_deliveries, 3) FROM mailing_results WHERE mailing = 1") ==
          "1|2|0.333|0.667\n");
}

TEST_CASE("covered periods: what was erased by age is not complete any more") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    make_mirror(path);
    meddle(path, "DELETE FROM coverage");
    meddle(path,
           "INSERT INTO coverage (stream, age, \"begin\", \"end\", local_begin, local_end) VALUES "
           "('impressions', 0, 1000, 2000, '2026-01-01 00:00:00', '2026-02-01 00:00:00'), "
           "('impressions', 0, 3000, unixepoch('2026-04-01'), '2026-03-01 00:00:00', "
           "'2026-04-01 02:00:00'), "
           "('clicks', 0, 1000, 2000, '2026-01-01 00:00:00', '2026-02-01 00:00:00')");
    const std::string all =
        "SELECT stream, \"begin\", local_begin, local_end FROM covered_periods ORDER BY 1, 3";
    const std::string clicks = "clicks|1000|2026-01-01 00:00:00|2026-02-01 00:00:00\n";
    CHECK(lines_of(path, all) == clicks +
                                     "impressions|1000|2026-01-01 00:00:00|2026-02-01 00:00:00\n"
                                     "impressions|3000|2026-03-01 00:00:00|2026-04-01 02:00:00\n");
    meddle(path,
           "INSERT INTO mirror VALUES ('impressions', 'erased_before', '2026-03-10 12:30:15')");
    // In Amsterdam, winter is an hour ahead of UTC.
    CHECK(lines_of(path, all) ==
          clicks + "impressions|" +
              std::to_string(mirror::tests::utc("2026-03-10 11:30:15").time_since_epoch().count()) +
              "|2026-03-10 12:30:15|2026-04-01 02:00:00\n");
}

TEST_CASE("views: types mean the same in other engines that read the file") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    make_mirror(path);
    CHECK(lines_of(path,
                   "SELECT count(*) FROM sqlite_schema WHERE type = 'view' "
                   "AND sql LIKE '%CAST(% AS %)%'") != "0\n");
    // DuckDB's REAL has four bytes, and so the rates six digits. DOUBLE is the same for both.
    CHECK(lines_of(path,
                   "SELECT name FROM sqlite_schema WHERE type = 'view' "
                   "AND (sql LIKE '% AS REAL%' OR sql LIKE '% AS FLOAT%')")
              .empty());
}

TEST_CASE("reject reasons, recent runs and lateness by the hour") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    make_mirror(path);
    meddle(path,
           "INSERT INTO rejects (stream, received_at, \"begin\", \"end\", reason, record, copies) "
           "VALUES ('clicks', 5, 0, 1, 'no usable ID: \"a\"', '{\"ID\":\"a\"}', 2), "
           "('clicks', 9, 0, 1, 'no usable ID: \"b\"', '{\"ID\":\"b\"}', 1), "
           "('clicks', 7, 0, 1, 'not an object', '1', 1)");
    CHECK(lines_of(path, "SELECT * FROM reject_reasons ORDER BY reason") ==
          "clicks|no usable ID|2|3|9|no usable ID: \"a\"\n"
          "clicks|not an object|1|1|7|not an object\n");

    meddle(path, "DELETE FROM runs");
    meddle(
        path,
        "INSERT INTO runs (stream, id, kind, \"begin\", \"end\", started_at, ended_at, requests, "
        "inserted, updated, unchanged, rejected, outcome) VALUES "
        "('impressions', 1, 'sync', 0, 1, 1000000, 1000010, 1, 2, 3, 4, 5, 'done'), "
        "('impressions', 2, 'sync', 0, 1, 1604800, 1604830, 1, 2, 3, 4, 5, 'done'), "
        "('clicks', 3, 'run', 0, 1, 1604801, NULL, 1, 2, 3, 4, 5, 'running')");
    CHECK(lines_of(path, "SELECT stream, id, seconds, outcome FROM recent_runs ORDER BY id") ==
          "impressions|2|30|done\nclicks|3||running\n");

    meddle(path,
           "INSERT INTO lateness (stream, seconds, rows) VALUES ('clicks', 61, 2), "
           "('clicks', 3599, 1), ('clicks', 3600, 4), ('errors', 90000, 8)");
    CHECK(lines_of(path, "SELECT * FROM lateness_by_hour ORDER BY stream, hours") ==
          "clicks|0|3\nclicks|1|4\nerrors|25|8\n");
}

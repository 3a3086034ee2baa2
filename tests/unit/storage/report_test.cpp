#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "storage/report_reader.hpp"
#include "tests/support/old_mirror.hpp"
#include "tests/support/times.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;
using mirror::tests::local;

namespace {

ReportNumbers numbers_of(const std::filesystem::path& path) {
    ReportOptions options;
    options.path = path;
    options.period = {local("2026-03-01 00:00:00"), local("2026-03-03 00:00:00")};
    options.programs = 2;
    options.mailings = 2;
    return read_report(options);
}

void add_events(const std::filesystem::path& path, const std::string& table,
                const std::string& values) {
    meddle(path, "INSERT INTO " + table +
                     " (id, mailing, destination, timestamp, first_seen, changed_at) VALUES " +
                     values);
}

void add_mailings(const std::filesystem::path& path, const std::string& values) {
    meddle(path,
           "INSERT INTO mailing_rows (id, timestamp, subject, destinations, first_seen, "
           "changed_at) VALUES " +
               values);
}

// Each of these streams was read from January to March, and nothing else was.
void cover_only(const std::filesystem::path& path, const std::vector<std::string>& streams) {
    meddle(path, "DELETE FROM coverage");
    for (const std::string& stream : streams) {
        meddle(path, "INSERT INTO coverage VALUES ('" + stream +
                         "', 0, 1, 2000000000, '2026-01-01 00:00:00', '2026-04-01 00:00:00')");
    }
}

}  // namespace

TEST_CASE("report: opens by day, kind, hour, device and program") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    make_mirror(path);  // fifty opens on Sunday the first, from 13:00:00 on, by "Mozilla/5.0"
    meddle(path,
           "INSERT INTO user_agents (id, useragent, device) VALUES (7, 'Mail', 'mobile'), "
           "(8, 'Old', 'mobile')");
    meddle(path,
           "INSERT INTO open_kinds (user_agent, kind, valid_from, valid_to) VALUES "
           "(7, 'proxy', '0000-01-01', '2026-03-02'), (7, 'privacy', '2026-03-02', '9999-12-32')");
    meddle(path, "UPDATE impression_rows SET user_agent = 7 WHERE id <= 10");
    meddle(path, "UPDATE impression_rows SET timestamp = '2026-03-02 23:59:59' WHERE id <= 4");
    meddle(path, "UPDATE impression_rows SET user_agent = NULL WHERE id = 11");
    meddle(path, "UPDATE impression_rows SET user_agent = 8 WHERE id = 12");
    meddle(path, "UPDATE impression_rows SET removed_at = 1 WHERE id = 50");
    meddle(path, "UPDATE impression_rows SET timestamp = '2026-03-03 00:00:00' WHERE id = 49");
    meddle(path, "UPDATE impression_rows SET timestamp = '2026-02-28 23:59:59' WHERE id = 48");
    const ReportNumbers numbers = numbers_of(path);
    CHECK(numbers.time_zone == "Europe/Amsterdam");
    REQUIRE(numbers.opens_by_day.size() == 2);
    CHECK(numbers.opens_by_day.at("2026-03-01") ==
          std::map<std::string, std::uint64_t>{{"", 2}, {"person", 35}, {"proxy", 6}});
    CHECK(numbers.opens_by_day.at("2026-03-02") ==
          std::map<std::string, std::uint64_t>{{"privacy", 4}});
    CHECK(numbers.opens_by_hour[6][13] == 43);
    CHECK(numbers.opens_by_hour[0][23] == 4);
    CHECK(numbers.devices ==
          std::vector<ReportNumbers::Count>{{"desktop", 35}, {"mobile", 11}, {"", 1}});
    CHECK(numbers.programs == std::vector<ReportNumbers::Count>{{"Mozilla/5.0", 35}, {"Mail", 10}});
}

TEST_CASE("report: mailings of the period, the same numbers as in mailing_results") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    make_mirror(path);
    add_mailings(path,
                 "(411, '2026-02-28 23:59:59', 'Before', 99, 1, 1), "
                 "(412, '2026-03-01 10:00:00', 'First', 7, 1, 1), "
                 "(413, '2026-03-01 11:00:00', 'Second', 9, 1, 1), "
                 "(414, '2026-03-02 11:00:00', NULL, NULL, 1, 1)");
    add_events(
        path, "delivery_rows",
        "(1, 412, 112, '2026-03-01 10:00:01', 1, 1), (2, 412, 113, '2026-03-01 10:00:01', 1, "
        "1), (3, 413, 1, '2026-03-01 11:00:01', 1, 1)");
    add_events(path, "click_rows", "(1, 412, 112, '2026-03-05 10:00:01', 1, 1)");
    cover_only(path, {"deliveries", "impressions", "clicks", "mailings"});
    meddle(path, "UPDATE coverage SET local_begin = '2026-03-01 10:30:00' WHERE stream = 'clicks'");
    const ReportNumbers numbers = numbers_of(path);
    REQUIRE(numbers.newest.size() == 2);
    CHECK(numbers.newest[0].subject == "");
    CHECK_FALSE(numbers.newest[0].destinations.has_value());
    CHECK(numbers.newest[0].unique_opens == 0U);
    CHECK(numbers.newest[1].subject == "Second");
    REQUIRE(numbers.biggest.size() == 2);
    CHECK(numbers.biggest[0].subject == "Second");
    CHECK(numbers.biggest[0].deliveries == 1U);
    CHECK(numbers.biggest[0].unique_clicks == 0U);
    const MailingResult& first = numbers.biggest[1];
    CHECK(first.subject == "First");
    CHECK(first.sent_at == "2026-03-01 10:00:00");
    CHECK(first.deliveries == 2U);
    CHECK_FALSE(first.unique_clicks.has_value());  // not whole since it was sent
    CHECK(std::to_string(first.unique_opens.value()) + "|" +
              std::to_string(first.unique_person_opens.value()) + "\n" ==
          lines_of(path,
                   "SELECT unique_opens, unique_person_opens FROM mailing_results WHERE "
                   "mailing = 412"));
}

TEST_CASE("report: of a stream that was not read since, or erased, there are no numbers") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    make_mirror(path);
    add_mailings(path, "(412, '2026-03-01 10:00:00', 'First', 7, 1, 1)");
    add_events(path, "delivery_rows", "(1, 412, 112, '2026-03-01 10:00:01', 1, 1)");
    cover_only(path, {"deliveries", "impressions", "mailings"});
    const auto opens = [&] {
        const ReportNumbers numbers = numbers_of(path);
        REQUIRE(numbers.newest.size() == 1);
        CHECK(numbers.newest[0].deliveries == 1U);
        const std::string in_view =
            lines_of(path, "SELECT deliveries, ifnull(unique_opens, '-') FROM mailing_results");
        const auto& unique = numbers.newest[0].unique_opens;
        CHECK(in_view == "1|" + (unique ? std::to_string(*unique) : "-") + "\n");
        return unique;
    };
    CHECK(opens().has_value());
    const std::string until = "UPDATE coverage SET local_end = '";
    const std::string of_opens = "' WHERE stream = 'impressions'";
    meddle(path, until + "2026-03-01 10:00:00" + of_opens);  // switched off before it was sent
    CHECK_FALSE(opens().has_value());
    meddle(path, until + "2026-03-01 10:00:01" + of_opens);
    CHECK(opens().has_value());
    const std::string erased =
        "INSERT OR REPLACE INTO mirror (stream, key, value) VALUES "
        "('impressions', 'erased_before', '2026-03-01 10:00:0";
    meddle(path, erased + "0')");
    CHECK(opens().has_value());
    meddle(path, erased + "1')");
    CHECK_FALSE(opens().has_value());
}

TEST_CASE("report: a user agent of two kinds counts as each in its time, and each open once") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    make_mirror(path);
    meddle(path, "INSERT INTO user_agents (id, useragent) VALUES (7, 'Bare')");
    meddle(path,
           "INSERT INTO open_kinds (user_agent, kind, valid_from, valid_to) VALUES "
           "(7, 'privacy', '0000-01-01', '2026-03-02'), (7, 'person', '2026-03-02', '9999-12-32')");
    meddle(path, "UPDATE impression_rows SET destination = id");
    meddle(path, "UPDATE impression_rows SET user_agent = 7 WHERE id <= 10");
    meddle(path, "DELETE FROM coverage");
    meddle(
        path,
        "INSERT INTO mailing_rows (id, timestamp, subject, destinations, first_seen, changed_at) "
        "VALUES (412, '2026-03-01 10:00:00', 'First', 7, 1, 1)");
    for (const char* const stream : {"impressions", "mailings"}) {
        meddle(path, std::string("INSERT INTO coverage VALUES ('") + stream +
                         "', 0, 1, 2000000000, '2026-01-01 00:00:00', '2026-04-01 00:00:00')");
    }
    CHECK(lines_of(path,
                   "SELECT opens, unique_opens, unique_person_opens FROM mailing_results WHERE "
                   "mailing = 412") == "50|50|40\n");
    const ReportNumbers numbers = numbers_of(path);
    REQUIRE(numbers.newest.size() == 1);
    CHECK(numbers.newest[0].unique_opens == 50U);
    CHECK(numbers.newest[0].unique_person_opens == 40U);
}

TEST_CASE("report: rejects, and a file of an older version") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    make_mirror(path);
    meddle(path,
           "INSERT INTO rejects (stream, received_at, \"begin\", \"end\", reason, record) VALUES "
           "('clicks', 5, 0, 1, 'no usable ID: \"secret\"', '{}')");
    const ReportNumbers numbers = numbers_of(path);
    REQUIRE(numbers.rejects.size() == 1);
    CHECK(numbers.rejects.front().reason == "no usable ID");
    CHECK(numbers.rejects.front().records == 1);
    CHECK(numbers.newest.empty());

    const auto old = directory / "old.db";
    test::make_old_mirror(old, 2);
    CHECK_THROWS_WITH_AS(numbers_of(old), doctest::Contains("made by an older version"),
                         DatabaseError);
    CHECK_THROWS_AS(numbers_of(directory / "absent.db"), DatabaseError);
}

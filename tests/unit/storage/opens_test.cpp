// The view `opens`, and what is behind it: rules, verdicts on user agents, months of local time.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/old_mirror.hpp"
#include "tests/unit/storage/fixture.hpp"

using namespace mirror;
using namespace mirror::storage;
using namespace mirror::storage::testing;

namespace {

OpenRule rule(const std::string& name, const std::string& kind, const std::string& pattern) {
    OpenRule made;
    made.name = name;
    made.kind = kind;
    made.field = "useragent";
    made.form = "contains";
    made.pattern = pattern;
    made.source = "a test";
    return made;
}

MirrorOptions options_with(const std::filesystem::path& path, std::vector<OpenRule> rules) {
    MirrorOptions options = options_for(path);
    options.open_rules = std::move(rules);
    return options;
}

// As a command does at its start.
void claim(MirrorFile& file) {
    file.writer(impressions).claim_account("34", "Development", {});
}

void store(MirrorFile& file, std::int64_t id, std::string_view useragent) {
    copernica::Page page;
    page.rows.push_back(row(page, id, id, useragent));
    file.writer(impressions)
        .commit(whole(noon_window(id, id + 1), std::move(page)), noon(60), at(noon(60)));
}

std::string kinds(const std::filesystem::path& path) {
    return lines_of(path, "SELECT id, kind FROM opens ORDER BY id");
}

std::string version_of_data(const std::filesystem::path& path) {
    return ask(path,
               "SELECT group_concat(x, ';') FROM (SELECT rowid || ' ' || kind AS x FROM "
               "open_kinds ORDER BY rowid)");
}

}  // namespace

TEST_CASE("opens: a user agent is judged when it is first stored, and by day") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    OpenRule dated = rule("dated", "privacy", "Bare");
    dated.valid_from = "2026-03-02";
    MirrorFile file(options_with(path, {rule("google", "proxy", "GoogleImageProxy"), dated}),
                    noon());
    claim(file);
    store(file, 1, "Firefox");
    store(file, 2, "via GoogleImageProxy");
    store(file, 3, "Bare");
    CHECK(kinds(path) == "1|person\n2|proxy\n3|person\n");
    meddle(path, "UPDATE impression_rows SET timestamp = '2026-03-02 00:00:00' WHERE id = 3");
    CHECK(kinds(path) == "1|person\n2|proxy\n3|privacy\n");
    CHECK(lines_of(path,
                   "SELECT useragent, open_kinds.* FROM open_kinds JOIN user_agents "
                   "ON user_agents.id = user_agent ORDER BY user_agent, valid_from") ==
          "Firefox|1|person|0000-01-01|9999-12-32|\n"
          "via GoogleImageProxy|2|proxy|0000-01-01|9999-12-32|google\n"
          "Bare|3|person|0000-01-01|2026-03-02|\n"
          "Bare|3|privacy|2026-03-02|9999-12-32|dated\n");
    // What has no user agent, and what the API does not return any more.
    meddle(path, "UPDATE impression_rows SET user_agent = NULL WHERE id = 1");
    meddle(path, "UPDATE impression_rows SET removed_at = 1 WHERE id = 2");
    CHECK(kinds(path) == "1|\n3|privacy\n");
}

TEST_CASE("opens: other rules judge all user agents again, and change no row") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    {
        MirrorFile file(options_with(path, {rule("x", "scanner", "Fire")}), noon());
        claim(file);
        store(file, 1, "Firefox");
        store(file, 2, "Chrome");
        CHECK(kinds(path) == "1|scanner\n2|person\n");
    }
    const std::string rows = lines_of(path, "SELECT * FROM impression_rows");
    const std::string before = version_of_data(path);
    {
        MirrorFile file(options_with(path, {rule("x", "scanner", "Fire")}), noon());
        claim(file);
        CHECK(version_of_data(path) == before);
    }
    OpenRule off = rule("x", "scanner", "Fire");
    off.enabled = false;
    OpenRule until = rule("y", "prefetch", "Chrome");
    until.valid_to = "2030-01-01";
    MirrorFile file(options_with(path, {off, until}), noon());
    CHECK(kinds(path) == "1|scanner\n2|person\n");  // not before the account is known
    claim(file);
    CHECK(kinds(path) == "1|person\n2|prefetch\n");
    CHECK(lines_of(path,
                   "SELECT rule, kind, field, form, pattern, valid_from, valid_to, source, "
                   "enabled FROM open_rules ORDER BY place") ==
          "x|scanner|useragent|contains|Fire|||a test|0\n"
          "y|prefetch|useragent|contains|Chrome||2030-01-01|a test|1\n");
    CHECK(lines_of(path, "SELECT * FROM impression_rows") == rows);
}

TEST_CASE("opens: a process judges by the rules in the file, whoever wrote them") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile older(options_with(path, {rule("x", "scanner", "Fire")}), noon());
    claim(older);
    store(older, 1, "Firefox 1");
    MirrorFile newer(options_with(path, {rule("x", "proxy", "Fire")}), noon());
    claim(newer);
    store(older, 2, "Firefox 2");
    CHECK(kinds(path) == "1|proxy\n2|proxy\n");
    // What is rolled back leaves no verdict behind.
    meddle(path,
           "CREATE TRIGGER full BEFORE INSERT ON impression_rows WHEN new.id = 3 BEGIN "
           "SELECT raise(ABORT, 'no'); END");
    CHECK_THROWS_AS(store(older, 3, "Firefox 3"), DatabaseError);
    CHECK(ask(path, "SELECT count(*) FROM open_kinds") == "2");
    meddle(path, "DROP TRIGGER full");
    store(older, 3, "Firefox 3");
    CHECK(kinds(path) == "1|proxy\n2|proxy\n3|proxy\n");
}

TEST_CASE("opens: clicks have user agents, too; a first row of any stream judges") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_with(path, {rule("x", "scanner", "Scan")}), noon());
    const Stream& clicks = *find_stream("clicks");
    file.writer(clicks).claim_account("34", "Development", {});
    copernica::Page page;
    Row click = row(page, 1, 1, "Scanner");
    click.entries[0].second.reset();  // no device
    page.rows.push_back(click);
    file.writer(clicks).commit(whole(noon_window(1, 2), std::move(page)), noon(60), at(noon(60)));
    CHECK(lines_of(path, "SELECT user_agent, kind FROM open_kinds") == "1|scanner\n");
}

TEST_CASE("opens: the agents of an older file are judged, and its months are there") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    test::make_old_mirror(path, 2);
    MirrorFile file(options_with(path, {rule("x", "privacy", "Mozilla/5.0")}), noon());
    claim(file);
    CHECK(ask(path, "SELECT count(*) FROM opens WHERE kind = 'privacy'") ==
          ask(path,
              "SELECT count(*) FROM impressions WHERE useragent LIKE '%Mozilla/5.0%' AND "
              "removed_at IS NULL"));
    CHECK(ask(path, "SELECT count(*) FROM opens WHERE kind IS NULL AND useragent <> ''") == "0");
    CHECK(ask(path, "SELECT count(*) FROM opens WHERE unix_time IS NULL") == "0");
}

TEST_CASE("opens: time in UTC, but for the hour that occurs twice; day and hour") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    MirrorFile file(options_for(path), noon());
    claim(file);
    struct Row {
        const char *timestamp, *expected;
    };
    const Row rows[] = {
        {"2026-01-31 23:59:59", "2026-01-31 22:59:59|2026-01-31|23"},
        {"2026-07-01 00:00:00", "2026-06-30 22:00:00|2026-07-01|0"},
        {"2026-03-29 01:59:59", "2026-03-29 00:59:59|2026-03-29|1"},
        {"2026-03-29 02:30:00", "|2026-03-29|2"},  // clocks never showed it
        {"2026-03-29 03:00:00", "2026-03-29 01:00:00|2026-03-29|3"},
        {"2026-10-25 01:59:59", "2026-10-24 23:59:59|2026-10-25|1"},
        {"2026-10-25 02:00:00", "|2026-10-25|2"},
        {"2026-10-25 02:59:59", "|2026-10-25|2"},
        {"2026-10-25 03:00:00", "2026-10-25 02:00:00|2026-10-25|3"},
        {"2024-02-29 12:34:56", "2024-02-29 11:34:56|2024-02-29|12"},
        {"2100-12-31 23:59:59", "2100-12-31 22:59:59|2100-12-31|23"},
    };
    store(file, 1, "x");
    for (const Row& row : rows) {
        CAPTURE(row.timestamp);
        meddle(path, std::string("UPDATE impression_rows SET timestamp = '") + row.timestamp + "'");
        CHECK(lines_of(path, "SELECT datetime(unix_time, 'unixepoch'), day, hour FROM opens") ==
              std::string(row.expected) + "\n");
    }
}

TEST_CASE("opens: other rules of the zone are written down, the same ones are not") {
    TemporaryDirectory directory;
    const auto path = directory / "m.db";
    make_mirror(path);
    const std::string months = lines_of(path, "SELECT rowid, * FROM local_months");
    MirrorFile file(options_for(path), noon());
    claim(file);
    CHECK(lines_of(path, "SELECT rowid, * FROM local_months") == months);
    // As a file that was last written with an older tzdata.
    meddle(path, "UPDATE local_months SET day_zero = day_zero + 3600 WHERE month = '2026-03'");
    CHECK(ask(path, "SELECT min(unix_time) FROM opens") == "1772370000");
    claim(file);
    CHECK(ask(path, "SELECT min(unix_time) FROM opens") == "1772366400");
    CHECK(lines_of(path,
                   "SELECT month, local_begin, local_end, day_zero FROM local_months WHERE "
                   "month = '2026-10'") ==
          "2026-10|2026-10-01 00:00:00|2026-10-25 02:00:00|1790719200\n"
          "2026-10|2026-10-25 03:00:00|2026-11-01 00:00:00|1790722800\n");
}

#include "daemon/status/status.hpp"

#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include "daemon/cli/progress.hpp"
#include "daemon/status/status_json.hpp"
#include "daemon/status/status_text.hpp"
#include "tests/support/times.hpp"

using namespace mirror;
using namespace mirror::daemon;
using mirror::tests::utc;

namespace {

Window day(const char* begin, const char* end) {
    return {utc((std::string(begin) + " 00:00:00").c_str()),
            utc((std::string(end) + " 00:00:00").c_str())};
}

storage::FileStatus some_file() {
    storage::FileStatus file;
    storage::StreamStatus& stream = file.streams.emplace_back();
    stream.stream = &streams().front();
    file.account.emplace();
    file.account->id = "34";
    file.account->name = "Development";
    file.time_zone = "Europe/Amsterdam";
    stream.coverage.add(day("2026-01-01", "2026-02-01"));
    stream.coverage.add(day("2026-02-02", "2026-03-01"));
    stream.rows = 1200345;
    file.server_clock_offset = Seconds(-3600);
    stream.facts["wanted_from"] =
        std::to_string(utc("2025-12-31 00:00:00").time_since_epoch().count());
    storage::StoredRun run;
    run.run.unread = {{day("2026-02-01", "2026-02-02"), "bad second"}};
    stream.runs.push_back(run);
    return file;
}

// Of impressions.
Status assess(const storage::FileStatus& file, Instant now) {
    return daemon::assess(file, streams().front(), now);
}

}  // namespace

TEST_CASE("status: the newest unbroken period, the lag by the server's clock, the gaps") {
    const Status status = assess(some_file(), utc("2026-03-01 01:00:14"));
    CHECK(status.complete == day("2026-02-02", "2026-03-01"));
    CHECK(status.lag == Seconds(14));
    REQUIRE(status.gaps.size() == 2);
    CHECK(status.gaps[0].window == day("2025-12-31", "2026-01-01"));
    CHECK_FALSE(status.gaps[0].reason.has_value());
    CHECK(status.gaps[1].window == day("2026-02-01", "2026-02-02"));
    CHECK(status.gaps[1].reason == "bad second");
}

TEST_CASE("status: what is kept, and an erasure that is not finished") {
    storage::FileStatus file = some_file();
    storage::StreamStatus& stream = file.streams.front();
    const Zone zone("Europe/Amsterdam");
    const auto text = [&] {
        const Instant now = utc("2026-03-01 01:00:14");
        return status_text({assess(file, now)}, zone, Seconds(0));
    };
    CHECK(text().find("kept") == std::string::npos);
    CHECK(text().find("erasing") == std::string::npos);
    stream.facts["keep"] = "63072000";
    CHECK(text().find("730 d\n") != std::string::npos);
    stream.facts["erased_before"] = "2024-03-01 00:00:00";
    stream.erasing = true;
    CHECK(text().find("730 d; what is older than 2024-03-01 00:00:00 was erased") !=
          std::string::npos);
    file.erased_bytes_left = true;
    CHECK(text().find("an erasure is at work") != std::string::npos);
    stream.erasing = false;
    CHECK(text().find("may still be in the log") != std::string::npos);
    stream.facts["keep"] = "";
    CHECK(text().find("for ever; what is older") != std::string::npos);
}

TEST_CASE("status: what is kept of addresses and user agents, and a mix of it") {
    storage::FileStatus file = some_file();
    const Zone zone("Europe/Amsterdam");
    const auto text = [&] {
        return status_text({assess(file, utc("2026-03-01 01:00:14"))}, zone, Seconds(0));
    };
    const auto json = [&] {
        return boost::json::parse(status_json({assess(file, utc("2026-03-01 01:00:14"))}));
    };
    CHECK(text().find("privacy") == std::string::npos);
    CHECK(json().at("privacy").at("ip") == "full");
    CHECK(json().at("privacy").at("mix") == false);
    CHECK(json().at("streams").at("impressions").at("rewritten_rows").is_null());
    file.kept.privacy = {Privacy::Addresses::network, Privacy::UserAgents::none};
    file.kept.narrowest = file.kept.privacy;
    file.kept.since = utc("2026-02-01 12:00:00");
    CHECK(text().find("privacy       ip = \"network\", useragent = \"none\"\n") !=
          std::string::npos);
    CHECK(text().find("mix") == std::string::npos);
    file.streams.front().rewriting = storage::RewriteState{70, 1000};
    CHECK(text().find("rewriting     1,000 of 1,200,345 rows have what [privacy] keeps; until all "
                      "have, the file has a mix\n") != std::string::npos);
    CHECK(json().at("privacy").at("mix") == true);
    CHECK(json().at("privacy").at("useragent") == "none");
    CHECK(json().at("streams").at("impressions").at("rewritten_rows") == 1000);
    file.streams.front().rewriting.reset();
    file.kept.privacy = {};
    CHECK(
        text().find("privacy       a mix: rows stored before 2026-02-01 13:00:00 may have no more "
                    "than ip = \"network\", useragent = \"none\", until they are read again\n") !=
        std::string::npos);
    CHECK(json().at("privacy").at("mix") == true);
    CHECK(json().at("privacy").at("least_ip") == "network");
    CHECK(json().at("privacy").at("since") == "2026-02-01T12:00:00Z");
}

TEST_CASE("status: a clock that runs slow makes no negative lag") {
    CHECK(assess(some_file(), utc("2026-03-01 00:30:00")).lag == Seconds(0));
}

TEST_CASE("status: the JSON object is the documented one") {
    storage::FileStatus file = some_file();
    file.streams.front().facts["last_error"] = "no \"answer\"";
    file.streams.front().facts["last_success"] = "1772323200";
    const auto json =
        boost::json::parse(status_json({assess(file, utc("2026-03-01 01:00:14"))})).as_object();
    CHECK(json.at("account").at("id") == "34");
    CHECK(json.at("complete_through") == "2026-03-01T00:00:00Z");
    CHECK(json.at("lag_seconds") == 14);
    const auto& stream = json.at("streams").at("impressions");
    CHECK(stream.at("followed") == true);
    CHECK(stream.at("complete_from") == "2026-02-02T00:00:00Z");
    CHECK(stream.at("complete_through") == "2026-03-01T00:00:00Z");
    CHECK(stream.at("lag_seconds") == 14);
    CHECK(stream.at("rows") == 1200345);
    CHECK(stream.at("gaps").as_array().size() == 2);
    CHECK(stream.at("gaps").at(0).at("reason").is_null());
    CHECK(stream.at("gaps").at(1).at("reason") == "bad second");
    CHECK(json.at("last_error") == "no \"answer\"");
    CHECK(json.at("last_success") == "2026-03-01T00:00:00Z");
    CHECK(stream.at("lateness").is_null());
    CHECK(stream.at("last_audit").is_null());
}

TEST_CASE("status: a file without anything yet") {
    const Status status = assess(storage::FileStatus{}, utc("2026-03-01 00:00:00"));
    CHECK_FALSE(status.complete.has_value());
    CHECK_FALSE(status.lag.has_value());
    CHECK(status.gaps.empty());
    const auto json = boost::json::parse(status_json({status})).as_object();
    CHECK(json.at("account").is_null());
    CHECK(json.at("complete_through").is_null());
    CHECK(json.at("lag_seconds").is_null());
    CHECK(status_text({status}, Zone("UTC"), Seconds(0)).rfind("nothing is complete yet\n", 0) ==
          0);
}

TEST_CASE("status: the first line says how things are") {
    const Zone zone("UTC");
    {
        Status old;
        old.horizon = Instant(Seconds(1'600'000'000));
        old.rows_before_horizon = 29'183;
        old.sweep = Status::Sweep{Instant(Seconds(1'690'000'000)), Instant(Seconds(1'650'000'000))};
        old.zone_behind = std::chrono::hours(6);
        old.time_zone = "Europe/Amsterdam";
        const std::string text = status_text({old}, zone, Seconds(0));
        CHECK(text.find("horizon       the API shows nothing before 2020-09-13 12:26:40 any more; "
                        "29,183 rows of the file are older and kept\n") != std::string::npos);
        CHECK(
            text.find("sweep         reads everything again since 2023-07-22, oldest first; now at "
                      "2022-04-15\n") != std::string::npos);
        CHECK(text.find("6 h behind the API's clock: is Europe/Amsterdam the account's zone?") !=
              std::string::npos);
    }
    storage::FileStatus file = some_file();
    CHECK(status_text({assess(file, utc("2026-03-01 01:00:14"))}, zone, Seconds(0))
              .rfind("complete from 2026-02-02 00:00:00 to 2026-03-01 00:00:00 (UTC), 14 s behind, "
                     "with 2 gaps before it\n",
                     0) == 0);
    file.streams.front().facts["last_error"] = "the token was refused";
    file.streams.front().facts["failing_since"] = "1772323200";
    CHECK(status_text({assess(file, utc("2026-03-01 01:00:14"))}, zone, Seconds(0))
              .rfind("stuck since 2026-03-01 00:00:00: the token was refused\n", 0) == 0);
}

TEST_CASE("status: of several streams the worst comes first, then each has a line") {
    storage::FileStatus file = some_file();
    const auto add = [&file](const char* name, const char* end) {
        storage::StreamStatus& stream = file.streams.emplace_back();
        stream.stream = find_stream(name);
        stream.coverage.add(day("2026-01-01", end));
        stream.rows = 7;
        return file.streams.size() - 1;
    };
    const std::size_t clicks = add("clicks", "2026-02-28");
    add("mailings", "2026-01-02");
    const std::vector<const Stream*> followed{&streams().front(), find_stream("clicks"),
                                              find_stream("abuses")};
    const auto all = [&] { return assess_all(file, followed, utc("2026-03-01 01:00:14")); };
    REQUIRE(all().size() == 4);
    CHECK(worst_of(all()).stream->name == "abuses");  // nothing is complete
    file.streams[clicks].facts["last_error"] = "the token may not";
    CHECK(worst_of(all()).stream->name == "clicks");

    const std::string text = status_text(all(), Zone("UTC"), Seconds(0));
    CHECK(text.starts_with("clicks: stuck: the token may not\n"));
    CHECK(text.find("\nclicks        complete from 2026-01-01 00:00:00 to 2026-02-28 00:00:00, ") !=
          std::string::npos);
    CHECK(text.find(
              "\nabuses        nothing is complete yet; rows 0, 0 rejects, 0 removed; 0 gaps\n") !=
          std::string::npos);
    CHECK(text.find("; not followed any more\n") != std::string::npos);
    CHECK(text.find("\nclicks:\n") != std::string::npos);
    CHECK(text.find(" \n") == std::string::npos);

    const auto json = boost::json::parse(status_json(all())).as_object();
    CHECK(json.at("complete_through").is_null());
    CHECK(json.at("lag_seconds").is_null());
    CHECK(json.at("last_error") == "the token may not");
    CHECK(json.at("streams").as_object().size() == 4);
    CHECK(json.at("streams").at("mailings").at("followed") == false);
    CHECK(json.at("streams").at("clicks").at("complete_through") == "2026-02-28T00:00:00Z");
}

TEST_CASE("status: what all streams have in common is said once") {
    storage::FileStatus file = some_file();
    storage::StreamStatus& clicks = file.streams.emplace_back();
    clicks.stream = find_stream("clicks");
    clicks.coverage.add(day("2026-01-01", "2026-03-01"));
    // As `sync` leaves them, one after the other.
    std::int64_t at = 1'772'323'200;
    for (storage::StreamStatus& stream : file.streams) {
        stream.facts["keep"] = std::to_string(730 * 86400);
        stream.facts["sweep_began"] = std::to_string(at);
        stream.facts["sweep_position"] = std::to_string(at - 3600);
        stream.facts["last_success"] = std::to_string(at);
        at += 7;
    }
    const std::vector<const Stream*> followed{&streams().front(), find_stream("clicks")};
    const auto text = [&] {
        return status_text(assess_all(file, followed, utc("2026-03-01 01:00:14")), Zone("UTC"),
                           Seconds(0));
    };
    CHECK(text().find("\nimpressions:\ngap           2025-12-31 00:00:00 to ") !=
          std::string::npos);
    CHECK(text().find("\nclicks:\n") == std::string::npos);  // its line says all of it
    CHECK(text().find("\nall streams:\n"
                      "sweep         reads everything again since 2026-03-01, oldest first; now at "
                      "2026-02-28\n"
                      "kept          730 d\n") != std::string::npos);
    // How far behind they are says that they succeed.
    CHECK(text().find("last success") == std::string::npos);

    clicks.facts["last_error"] = "the token may not";
    file.streams.front().facts["keep"] = std::to_string(400 * 86400);
    const std::string end = text().substr(text().find("\nclicks:\n"));
    CHECK(
        end.starts_with("\nclicks:\nkept          730 d\n"
                        "last success  2026-03-01 00:00:07\n"
                        "last error    the token may not\nall streams:\nsweep "));
    CHECK(text().find("kept          400 d\n") < text().find("kept          730 d\n"));
}

TEST_CASE("status: the budget is what the streams that are followed noted last") {
    storage::FileStatus file = some_file();
    file.streams.front().rows = 7;
    file.streams.front().facts["requests_per_day"] = "100";  // and was dropped then
    storage::StreamStatus& clicks = file.streams.emplace_back();
    clicks.stream = find_stream("clicks");
    clicks.facts["requests_per_day"] = "5000";
    const Statuses all = assess_all(file, {clicks.stream}, utc("2026-03-01 01:00:14"));
    REQUIRE(all.size() == 2);
    CHECK_FALSE(all.front().followed);
    CHECK(all.front().requests.per_day == 5000);
    CHECK(all.back().requests.per_day == 5000);
}

TEST_CASE("status: counts and audits as numbers") {
    storage::FileStatus file = some_file();
    const auto assessed = [&file] { return assess(file, utc("2026-03-01 01:00:14")); };
    CHECK_FALSE(assessed().rows_missing);
    CHECK_FALSE(assessed().audit_agrees);
    file.streams.front().facts["rows_missing"] = "7";
    CHECK(assessed().rows_missing == 7);
    file.streams.front().facts["rows_missing"] = "-7";
    CHECK(assessed().rows_missing == -7);
    file.streams.front().facts["rows_missing"] = "";  // they agree
    CHECK_FALSE(assessed().rows_missing);
    file.streams.front().facts["last_audit_agrees"] = "1";
    CHECK(assessed().audit_agrees == true);
    file.streams.front().facts["last_audit_agrees"] = "0";
    CHECK(assessed().audit_agrees == false);
    // An older version kept the words only.
    file.streams.front().facts.erase("last_audit_agrees");
    file.streams.front().facts["last_audit"] = "everything agrees";
    CHECK_FALSE(assessed().audit_agrees);
}

TEST_CASE("status: rows later than the last age are warned of") {
    storage::FileStatus file = some_file();
    file.streams.front().lateness.emplace();
    file.streams.front().lateness->rows = 3;
    file.streams.front().lateness->largest = Seconds(86401);
    const Status status = assess(file, utc("2026-03-01 01:00:14"));
    CHECK(status_text({status}, Zone("UTC"), Seconds(86400)).find("WARNING") != std::string::npos);
    CHECK(status_text({status}, Zone("UTC"), Seconds(604800)).find("WARNING") == std::string::npos);
}

TEST_CASE("progress: what the line says") {
    const Zone zone("UTC");
    sync::Progress progress;
    progress.period = day("2000-01-01", "2026-03-01");
    progress.at = utc("2026-02-01 00:00:00");
    progress.rows = 1'234'567;
    const auto text = [&](std::int64_t milliseconds, std::size_t columns = 200) {
        return progress_text(progress, zone, std::chrono::milliseconds(milliseconds), columns);
    };
    CHECK(text(10'000) == "2026-02-01 00:00:00  1,234,567 rows  123,456 rows/s");
    progress.stream = find_stream("clicks");
    CHECK(text(10'000) == "clicks: 2026-02-01 00:00:00  1,234,567 rows  123,456 rows/s");
    progress.stream = nullptr;
    progress.expected = 1'234'567 * 4;
    CHECK(text(10'000) ==
          "2026-02-01 00:00:00  25 %  1,234,567 of 4,938,268 rows  123,456 rows/s  30 s left");
    // It never wraps: what can be spared goes first.
    const std::string with_day =
        "2026-02-01  25 %  1,234,567 of 4,938,268 rows  123,456 rows/s  30 s left";
    CHECK(text(10'000, text(10'000).size() + 1) == text(10'000));
    CHECK(text(10'000, text(10'000).size()) == with_day);
    CHECK(text(10'000, with_day.size() + 1) == with_day);
    CHECK(text(10'000, with_day.size()) ==
          "25 %  1,234,567 of 4,938,268 rows  123,456 rows/s  30 s left");
    CHECK(text(10'000, 20) == "25 %  1,234,567 of…");
    // The rate of the first moments says nothing about the rest.
    CHECK(text(1000).ends_with("1,234,567 rows/s"));
    CHECK(text(0).find("left") == std::string::npos);
    CHECK(text(3'600'000).ends_with("342 rows/s  3 h left"));
    // What came before the rate is measured does not count for it.
    progress.rate_from = {std::chrono::seconds(6), 1'034'567};
    CHECK(text(10'000) ==
          "2026-02-01 00:00:00  25 %  1,234,567 of 4,938,268 rows  50,000 rows/s  74 s left");
    CHECK(text(8'000).ends_with("100,000 rows/s"));
    progress.rate_from.rows = 1'300'000;  // some are going to be read again
    CHECK(text(10'000).ends_with("  0 rows/s"));
    progress.rate_from = {};
    // Never before the end.
    progress.expected = 1'234'568;
    CHECK(text(10'000).find("  99 %  ") != std::string::npos);
    CHECK(text(10'000).ends_with("  1 s left"));
    // Rows came since they were counted.
    progress.expected = 1'000'000;
    CHECK(text(10'000) ==
          "2026-02-01 00:00:00  100 %  1,234,567 of 1,234,567 rows  123,456 rows/s");
}

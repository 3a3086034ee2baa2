// The metrics for Prometheus, and the answers of /healthz.
#include "daemon/metrics/metrics.hpp"

#include <set>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "daemon/metrics/health.hpp"
#include "daemon/metrics/liveness.hpp"
#include "daemon/process/process_usage.hpp"
#include "daemon/process/version.hpp"
#include "tests/support/times.hpp"
#include "tests/unit/documentation/documents.hpp"
#include "tests/unit/sync/fake_clock.hpp"

using namespace mirror;
using namespace mirror::daemon;

namespace {

std::set<std::string> lines_of(const std::string& text) {
    std::istringstream in(text);
    std::set<std::string> lines;
    for (std::string line; std::getline(in, line);) {
        lines.insert(line);
    }
    return lines;
}

// Every metric has a value.
Status some_status() {
    Status status;
    status.complete = Window{Instant(Seconds(1'000)), Instant(Seconds(1'700'000'000))};
    status.last_success = Instant(Seconds(1'700'000'005));
    status.rows = 12'345'678;
    status.rejects = 3;
    status.gaps.resize(2);
    status.horizon = Instant(Seconds(1'600'000'000));
    status.rows_before_horizon = 29'183;
    status.sweep = Status::Sweep{Instant(Seconds(1'690'000'000)), Instant(Seconds(1'650'000'000))};
    status.database_bytes = 123'456'789;
    status.wal_bytes = 4'152;
    status.stream = &streams().front();
    status.failing_since = Instant(Seconds(1'700'000'003));
    status.last_audit_at = Instant(Seconds(1'700'000'004));
    status.audit_agrees = true;
    status.count_difference = "the API counts 7 fewer";
    status.rows_missing = -7;
    status.lateness.emplace();
    status.lateness->rows = 9;
    status.lateness->median = Seconds(60);
    status.lateness->percentile_99 = Seconds(3600);
    status.lateness->largest = Seconds(86400);
    status.requests.today = 720;
    status.requests.month = 9'000;
    status.requests.per_day = 2'000;
    return status;
}

}  // namespace

TEST_CASE("metrics: what is counted, and what the file holds") {
    Metrics metrics("here");
    // From the start: counters at 0, and no time that is not known.
    auto lines = lines_of(metrics.text());
    CHECK(lines.contains("copernica_mirror_rows_written_total{change=\"inserted\"} 0"));
    CHECK(lines.contains("copernica_mirror_requests_total{outcome=\"token_refused\"} 0"));
    CHECK(
        lines.contains(std::string("copernica_mirror_build_info{version=\"") + version + "\"} 1"));
    CHECK(metrics.text().find("timestamp_seconds ") == std::string::npos);
    // A file that has not been read yet is not an empty one.
    for (const char* name : {"rows ", "rejects ", "gaps ", "_bytes ", "exit_code "}) {
        CAPTURE(name);
        CHECK(metrics.text().find(name) == std::string::npos);
    }

    sync::Written written;
    written.inserted = 3;
    written.updated = 2;
    written.unchanged = 7;
    written.removed = 1;
    metrics.stored(written);
    metrics.stored(written);
    metrics.request_ended(copernica::RequestOutcome::ok, std::chrono::milliseconds(300));
    metrics.request_ended(copernica::RequestOutcome::failed, std::chrono::seconds(2));
    metrics.request_ended(copernica::RequestOutcome::invalid_response, std::chrono::seconds(400));
    metrics.request_again();
    metrics.set_file({some_status()});
    metrics.set_free_bytes(1'048'576);
    ProcessUsage usage;
    usage.cpu_time = std::chrono::milliseconds(1000);
    metrics.set_process(usage);
    usage.cpu_time = std::chrono::milliseconds(2500);
    usage.resident_bytes = 4096;
    usage.started_unix_seconds = 1'700'000'000.5;
    metrics.set_process(usage);
    metrics.set_run(ExitCode::not_whole, Instant(Seconds(1'700'000'007)));
    lines = lines_of(metrics.text());
    for (const char* line : {
             "copernica_mirror_rows_written_total{change=\"inserted\"} 6",
             "copernica_mirror_rows_written_total{change=\"updated\"} 4",
             "copernica_mirror_rows_written_total{change=\"removed\"} 2",
             "copernica_mirror_requests_total{outcome=\"ok\"} 1",
             "copernica_mirror_requests_total{outcome=\"failed\"} 1",
             "copernica_mirror_requests_total{outcome=\"invalid_response\"} 1",
             "copernica_mirror_requests_total{outcome=\"request_refused\"} 0",
             "copernica_mirror_requests_total{outcome=\"unusable\"} 0",
             "copernica_mirror_requests_total{outcome=\"cancelled\"} 0",
             "copernica_mirror_request_duration_seconds_count 3",
             "copernica_mirror_request_duration_seconds_bucket{le=\"0.25\"} 0",
             "copernica_mirror_request_duration_seconds_bucket{le=\"0.5\"} 1",
             "copernica_mirror_request_duration_seconds_bucket{le=\"2.5\"} 2",
             "copernica_mirror_request_duration_seconds_bucket{le=\"300\"} 2",
             "copernica_mirror_request_duration_seconds_bucket{le=\"+Inf\"} 3",
             "copernica_mirror_retries_total 1",
             "copernica_mirror_complete_through_timestamp_seconds{stream=\"impressions\"} "
             "1700000000",
             "copernica_mirror_last_success_timestamp_seconds{stream=\"impressions\"} 1700000005",
             "copernica_mirror_rows{stream=\"impressions\"} 12345678",
             "copernica_mirror_rejects{stream=\"impressions\"} 3",
             "copernica_mirror_gaps{stream=\"impressions\"} 2",
             "copernica_mirror_horizon_timestamp_seconds{stream=\"impressions\"} 1600000000",
             "copernica_mirror_rows_before_horizon{stream=\"impressions\"} 29183",
             "copernica_mirror_sweep_position_timestamp_seconds{stream=\"impressions\"} 1650000000",
             "copernica_mirror_database_bytes 123456789",
             "copernica_mirror_wal_bytes 4152",
             "copernica_mirror_failing_since_timestamp_seconds{stream=\"impressions\"} 1700000003",
             "copernica_mirror_last_audit_timestamp_seconds{stream=\"impressions\"} 1700000004",
             "copernica_mirror_last_audit_agrees{stream=\"impressions\"} 1",
             "copernica_mirror_count_difference_rows{stream=\"impressions\"} -7",
             "copernica_mirror_late_rows{stream=\"impressions\"} 9",
             "copernica_mirror_lateness_seconds{quantile=\"0.5\",stream=\"impressions\"} 60",
             "copernica_mirror_lateness_seconds{quantile=\"0.99\",stream=\"impressions\"} 3600",
             "copernica_mirror_lateness_seconds{quantile=\"1\",stream=\"impressions\"} 86400",
             "copernica_mirror_free_bytes 1048576",
             "copernica_mirror_token_refused 0",
             "process_cpu_seconds_total 2.5",
             "process_resident_memory_bytes 4096",
             "process_start_time_seconds 1700000000.5",
             "copernica_mirror_requests_today 720",
             "copernica_mirror_requests_month 9000",
             "copernica_mirror_requests_per_day 2000",
             "copernica_mirror_last_run_exit_code 5",
             "copernica_mirror_last_run_timestamp_seconds 1700000007",
         }) {
        CAPTURE(line);
        CHECK(lines.contains(line));
    }
}

TEST_CASE("metrics: each stream that is followed has its own") {
    Metrics metrics("here");
    Statuses all{some_status(), some_status(), some_status()};
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i].stream = &streams()[i];
        all[i].rows = i + 1;
        all[i].followed = i > 0;
    }
    metrics.set_file(all);
    const auto lines = lines_of(metrics.text());
    CHECK_FALSE(lines.contains("copernica_mirror_rows{stream=\"impressions\"} 1"));
    CHECK(lines.contains("copernica_mirror_rows{stream=\"clicks\"} 2"));
    CHECK(lines.contains("copernica_mirror_rows{stream=\"deliveries\"} 3"));
    CHECK(lines.contains("copernica_mirror_requests_per_day 2000"));
}

TEST_CASE("metrics: a refused token shows until the API accepts one") {
    Metrics metrics("here");
    const auto refused = [&metrics] {
        return lines_of(metrics.text()).contains("copernica_mirror_token_refused 1");
    };
    CHECK_FALSE(refused());
    metrics.request_ended(copernica::RequestOutcome::token_refused, std::chrono::seconds(1));
    CHECK(refused());
    metrics.request_ended(copernica::RequestOutcome::failed, std::chrono::seconds(1));
    CHECK(refused());
    metrics.request_ended(copernica::RequestOutcome::ok, std::chrono::seconds(1));
    CHECK_FALSE(refused());
}

TEST_CASE("metrics: what is over is gone") {
    Metrics metrics("here");
    Status status = some_status();
    metrics.set_file({status});
    status.failing_since.reset();
    status.rows_missing.reset();  // an older version found the difference, and kept no number
    metrics.set_file({status});
    CHECK(metrics.text().find("count_difference_rows{") == std::string::npos);
    status.count_difference.reset();
    metrics.set_file({status});
    CHECK(metrics.text().find("failing_since_timestamp_seconds{stream=\"impressions\"} 1") ==
          std::string::npos);
    CHECK(metrics.text().find("count_difference_rows{stream=\"impressions\"} 0") !=
          std::string::npos);
}

TEST_CASE("metrics: what this process takes") {
    const auto usage = process_usage();
    REQUIRE(usage);
    CHECK(usage->cpu_time.count() > 0);
    CHECK(usage->resident_bytes > 100'000);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const double age = std::chrono::duration<double>(now).count() - usage->started_unix_seconds;
    CHECK(age > -2);  // /proc rounds
    CHECK(age < 86'400);
    CHECK(process_usage().value().started_unix_seconds == usage->started_unix_seconds);
}

TEST_CASE("liveness: a storage that stands still for long") {
    StandstillCounter counter;
    storage::Activity activity;
    for (int i = 0; i < 20; ++i) {
        counter.look(activity);
        CHECK_FALSE(counter.stands_still());  // it has nothing to do
    }
    activity.asked = 1;
    counter.look(activity);  // it has had no time yet
    for (int i = 0; i < 7; ++i) {
        counter.look(activity);
        CHECK_FALSE(counter.stands_still());
    }
    counter.look(activity);
    CHECK(counter.stands_still());
    ++activity.steps;
    counter.look(activity);
    CHECK_FALSE(counter.stands_still());
}

TEST_CASE("documentation: every metric, and no other") {
    const std::string text = test::section(test::document("docs/monitoring.md"), "Metrics");
    Metrics metrics("here");
    metrics.set_file({some_status()});
    metrics.rate_changed(4.5);
    metrics.set_free_bytes(1);
    metrics.set_process(ProcessUsage{});
    metrics.set_run(ExitCode::done, Instant(Seconds(1)));
    std::set<std::string> served;
    for (const std::string& line : lines_of(metrics.text())) {
        const std::string type = "# TYPE ";
        if (line.rfind(type, 0) == 0) {
            served.insert(line.substr(type.size(), line.rfind(' ') - type.size()));
        }
    }
    CHECK(served.size() == 32);
    test::check_documented(test::documented(text, "metric"), served);
    const auto lines = lines_of(metrics.text());
    for (const std::string& name : served) {
        CHECK(lines.contains("# HELP " + name) == false);  // there is a text behind it
    }
    std::set<std::string> outcomes;
    std::set<std::string> changes;
    for (const std::string& line : lines) {
        const auto label = [&](const std::string& before) {
            const auto begin = before.size();
            return line.substr(begin, line.find('"', begin) - begin);
        };
        const std::string requests = "copernica_mirror_requests_total{outcome=\"";
        const std::string written = "copernica_mirror_rows_written_total{change=\"";
        if (line.starts_with(requests)) {
            outcomes.insert(label(requests));
        } else if (line.starts_with(written)) {
            changes.insert(label(written));
        }
    }
    test::check_documented(test::documented(text, "outcome of a request"), outcomes);
    std::set<std::string> documented_changes;
    for (const auto& row : test::table_rows(text, "metric")) {
        if (row.front().find("copernica_mirror_rows_written_total") != std::string::npos) {
            const auto names = test::names_in(row.back());
            documented_changes.insert(names.begin(), names.end());
        }
    }
    test::check_documented(documented_changes, changes);
}

TEST_CASE("health: well, not yet, not any more") {
    const Monotonic start{};
    HealthFacts facts;
    const auto after = [&](std::chrono::seconds elapsed) {
        return why_unhealthy(facts, start + elapsed, Seconds(60));
    };
    CHECK(after(std::chrono::seconds(1)) == "no successful poll yet");
    facts.trouble = "the token was\nrefused";
    CHECK(after(std::chrono::seconds(1)) == "the token was\\nrefused");
    facts.last_success = start;
    CHECK(after(std::chrono::seconds(1)) == "the token was\\nrefused");
    facts.trouble.reset();
    CHECK(after(std::chrono::seconds(1)) == std::nullopt);
    CHECK(after(std::chrono::seconds(480)) == std::nullopt);
    CHECK(after(std::chrono::seconds(481)) == "no successful poll for 8 min");
}

TEST_CASE("health: another interval counts from the moment of its change on") {
    tests::FakeClock clock(tests::utc("2026-11-23 16:00:00"));
    Health health(clock, Seconds(60));
    sync::Following state;
    state.last_success = clock.utc();
    health.following(state);
    health.set_poll_interval(Seconds(3600));
    clock.advance(std::chrono::minutes(3 * 60 + 5));
    CHECK_FALSE(health.why_not());
    // The next poll comes soon, and is not late before it could come.
    health.set_poll_interval(Seconds(60));
    CHECK_FALSE(health.why_not());
    clock.advance(std::chrono::minutes(4));
    health.set_poll_interval(Seconds(60));  // read again, and the same
    clock.advance(std::chrono::minutes(4));
    CHECK_FALSE(health.why_not());
    clock.advance(std::chrono::seconds(1));
    CHECK(health.why_not());
}

TEST_CASE("health: the stream that is not well is named, if there are several") {
    tests::FakeClock clock(tests::utc("2026-11-23 16:00:00"));
    Health health(clock, Seconds(60));
    sync::Following clicks;
    clicks.stream = find_stream("clicks");
    clicks.last_success = clock.utc();
    clicks.trouble = "the API answers 403";
    health.following(clicks);
    CHECK(health.why_not() == "the API answers 403");
    sync::Following mailings;
    mailings.stream = find_stream("mailings");
    mailings.last_success = clock.utc();
    health.following(mailings);
    CHECK(health.why_not() == "clicks: the API answers 403");
    clicks.trouble.reset();
    health.following(clicks);
    CHECK_FALSE(health.why_not());
    // A poll of one does not count for the other.
    clock.advance(std::chrono::minutes(9));
    clicks.last_success = clock.utc();
    health.following(clicks);
    CHECK(health.why_not() == "mailings: no successful poll for 9 min");
}

TEST_CASE("health: by the clock that does not jump") {
    tests::FakeClock clock(tests::utc("2026-11-23 16:00:00"));
    Health health(clock, Seconds(60));
    CHECK(health.why_not());
    sync::Following state;
    state.last_success = clock.utc();
    health.following(state);
    CHECK_FALSE(health.why_not());
    clock.set_error(std::chrono::hours(24));
    CHECK_FALSE(health.why_not());
    // Told again, but nothing new: no successful poll since.
    clock.advance(std::chrono::minutes(8));
    health.following(state);
    CHECK_FALSE(health.why_not());
    clock.advance(std::chrono::seconds(1));
    CHECK(health.why_not() == "no successful poll for 8 min");
    state.last_success = clock.utc();
    health.following(state);
    CHECK_FALSE(health.why_not());
    state.trouble = "the API does not answer";
    health.following(state);
    CHECK(health.why_not() == "the API does not answer");
}

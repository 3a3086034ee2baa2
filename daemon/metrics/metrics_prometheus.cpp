#include <array>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <utility>

#include "daemon/metrics/metrics.hpp"
#include "daemon/process/version.hpp"

namespace mirror::daemon {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Labels;
using prometheus::Registry;

// Seconds. A reply of the API takes some 0.2 to 2; a request is given up after five minutes.
const Histogram::BucketBoundaries duration_buckets{0.05, 0.1, 0.25, 0.5, 1,  2.5,
                                                   5,    10,  30,   60,  300};

constexpr std::array<std::pair<copernica::RequestOutcome, const char*>, 8> outcomes{{
    {copernica::RequestOutcome::ok, "ok"},
    {copernica::RequestOutcome::interim, "interim"},
    {copernica::RequestOutcome::failed, "failed"},
    {copernica::RequestOutcome::invalid_response, "invalid_response"},
    {copernica::RequestOutcome::request_refused, "request_refused"},
    {copernica::RequestOutcome::token_refused, "token_refused"},
    {copernica::RequestOutcome::unusable, "unusable"},
    {copernica::RequestOutcome::cancelled, "cancelled"},
}};

const char* name_of(copernica::RequestOutcome outcome) {
    for (const auto& [known, name] : outcomes) {
        if (known == outcome) {
            return name;
        }
    }
    return "failed";
}

Family<Gauge>& gauge(Registry& registry, const char* name, const char* help) {
    return prometheus::BuildGauge()
        .Name(std::string("copernica_mirror_") + name)
        .Help(help)
        .Register(registry);
}

Family<Counter>& counter(Registry& registry, const char* name, const char* help) {
    return prometheus::BuildCounter()
        .Name(std::string("copernica_mirror_") + name)
        .Help(help)
        .Register(registry);
}

// What is not known yet has no series at all: a time of 0 would be 1970, and 0 rows an empty file.
void set(Family<Gauge>& family, std::uint64_t value, const Labels& labels = {}) {
    family.Add(labels).Set(static_cast<double>(value));
}

// Removes a value that is not known any more.
template <typename Value>
void set_or_remove(Family<Gauge>& family, const std::optional<Value>& value,
                   const Labels& labels = {}) {
    Gauge& gauge = family.Add(labels);
    if (value) {
        gauge.Set(static_cast<double>(*value));
    } else {
        family.Remove(&gauge);
    }
}

double seconds_of(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

std::optional<std::int64_t> unix_time(const std::optional<Instant>& at) {
    return at ? std::optional(at->time_since_epoch().count()) : std::nullopt;
}

void set_time(Family<Gauge>& family, const std::optional<Instant>& at, const Labels& labels = {}) {
    if (at) {
        family.Add(labels).Set(static_cast<double>(at->time_since_epoch().count()));
    }
}

}  // namespace

struct Metrics::Families {
    Registry registry;
    Family<Gauge>& complete_through =
        gauge(registry, "complete_through_timestamp_seconds",
              "End of the newest unbroken complete period, as Unix time.");
    Family<Gauge>& last_success = gauge(registry, "last_success_timestamp_seconds",
                                        "When a poll or another run last succeeded, as Unix time.");
    Family<Gauge>& rows = gauge(registry, "rows", "Rows of a stream.");
    Family<Counter>& rows_written =
        counter(registry, "rows_written_total",
                "Rows written by this process: inserted, updated, or marked as removed.");
    Counter& inserted = rows_written.Add({{"change", "inserted"}});
    Counter& updated = rows_written.Add({{"change", "updated"}});
    Counter& removed = rows_written.Add({{"change", "removed"}});
    Family<Counter>& requests =
        counter(registry, "requests_total", "Requests to the API, by how they ended.");
    Histogram& duration = prometheus::BuildHistogram()
                              .Name("copernica_mirror_request_duration_seconds")
                              .Help("How long requests to the API took, whatever their outcome.")
                              .Register(registry)
                              .Add({}, duration_buckets);
    Counter& retries =
        counter(registry, "retries_total", "Requests that failed and were made again.").Add({});
    Family<Gauge>& request_rate =
        gauge(registry, "request_rate",
              "Requests a second at the most; less than configured if the API refuses more.");
    Family<Gauge>& rejects = gauge(registry, "rejects", "Records that could not be rows.");
    Family<Gauge>& gaps =
        gauge(registry, "gaps", "Periods before the newest complete one that are not complete.");
    Family<Gauge>& horizon = gauge(registry, "horizon_timestamp_seconds",
                                   "The API shows nothing before this any more, as Unix time.");
    Family<Gauge>& rows_before_horizon =
        gauge(registry, "rows_before_horizon", "Rows that are older than all that the API shows.");
    Family<Gauge>& sweep_position =
        gauge(registry, "sweep_position_timestamp_seconds",
              "What is older was read again since the sweep began, as Unix time.");
    Family<Gauge>& database_bytes = gauge(registry, "database_bytes", "Size of the database file.");
    Family<Gauge>& wal_bytes = gauge(registry, "wal_bytes", "Size of its write-ahead log.");
    Gauge& token_refused = gauge(registry, "token_refused",
                                 "1 if the API refused the token when it was last checked, else 0.")
                               .Add({});
    Family<Gauge>& failing_since =
        gauge(registry, "failing_since_timestamp_seconds",
              "Since when something is wrong, as Unix time; absent: nothing is.");
    Family<Gauge>& count_difference =
        gauge(registry, "count_difference_rows",
              "The API's count of everything less the file's; 0: they agree.");
    Family<Gauge>& last_audit =
        gauge(registry, "last_audit_timestamp_seconds", "When the last audit ended, as Unix time.");
    Family<Gauge>& audit_agrees =
        gauge(registry, "last_audit_agrees", "1 if file and API agreed after the last audit.");
    Family<Gauge>& late_rows =
        gauge(registry, "late_rows", "Rows that came into a period that was complete already.");
    Family<Gauge>& lateness =
        gauge(registry, "lateness_seconds", "How late these rows came, by quantile.");
    Family<Gauge>& free_bytes =
        gauge(registry, "free_bytes", "Room on the disk of the database, for users but root.");
    Family<Gauge>& requests_today = gauge(
        registry, "requests_today", "Requests of this UTC day, of all processes on the file.");
    Family<Gauge>& requests_month =
        gauge(registry, "requests_month", "Requests of this UTC month, of all processes.");
    Family<Gauge>& requests_per_day =
        gauge(registry, "requests_per_day", "The budget of requests a day; absent: no limit.");
    Family<Gauge>& last_run_exit_code =
        gauge(registry, "last_run_exit_code", "Exit code of the run that wrote this.");
    Family<Gauge>& last_run =
        gauge(registry, "last_run_timestamp_seconds", "When that run ended, as Unix time.");
    Family<Counter>& cpu_seconds = prometheus::BuildCounter()
                                       .Name("process_cpu_seconds_total")
                                       .Help("CPU time of this process.")
                                       .Register(registry);
    Family<Gauge>& resident_bytes = prometheus::BuildGauge()
                                        .Name("process_resident_memory_bytes")
                                        .Help("Memory of this process.")
                                        .Register(registry);
    Family<Gauge>& started = prometheus::BuildGauge()
                                 .Name("process_start_time_seconds")
                                 .Help("When this process started, as Unix time.")
                                 .Register(registry);
    Gauge& build_info = gauge(registry, "build_info", "Always 1; the version is a label.")
                            .Add({{"version", version}});

    // What the file has of one stream.
    void set_stream(const Status& status) {
        const Labels labels{{"stream", std::string(status.stream->name)}};
        std::optional<Instant> through;
        if (status.complete) {
            through = status.complete->end;
        }
        set_time(complete_through, through, labels);
        set_time(last_success, status.last_success, labels);
        set(rows, status.rows, labels);
        set(rejects, status.rejects, labels);
        set(gaps, status.gaps.size(), labels);
        set_time(horizon, status.horizon, labels);
        set(rows_before_horizon, status.rows_before_horizon, labels);
        if (status.sweep) {
            set_time(sweep_position, status.sweep->position, labels);
        }
        set_or_remove(failing_since, unix_time(status.failing_since), labels);
        set_or_remove(
            count_difference,
            status.count_difference ? status.rows_missing : std::optional<std::int64_t>(0), labels);
        set_time(last_audit, status.last_audit_at, labels);
        set_or_remove(audit_agrees, status.audit_agrees, labels);
        if (status.lateness) {
            set_lateness(*status.lateness, labels);
        }
    }

    void set_lateness(const storage::LatenessSummary& late, const Labels& labels) {
        set(late_rows, late.rows, labels);
        const auto quantile = [&](const char* name, Seconds value) {
            Labels both = labels;
            both["quantile"] = name;
            lateness.Add(both).Set(seconds_of(value));
        };
        quantile("0.5", late.median);
        quantile("0.99", late.percentile_99);
        quantile("1", late.largest);
    }
};

Metrics::Metrics(std::string_view) : families_(std::make_unique<Families>()) {
    families_->build_info.Set(1);
    // Series that are there from the start show their first increase.
    for (const auto& [outcome, name] : outcomes) {
        families_->requests.Add({{"outcome", name}});
    }
}

Metrics::~Metrics() = default;

void Metrics::request_ended(copernica::RequestOutcome outcome, std::chrono::nanoseconds took) {
    families_->requests.Add({{"outcome", name_of(outcome)}}).Increment();
    families_->duration.Observe(seconds_of(took));
    if (outcome == copernica::RequestOutcome::token_refused) {
        families_->token_refused.Set(1);
    } else if (outcome == copernica::RequestOutcome::ok) {
        families_->token_refused.Set(0);
    }
}

void Metrics::request_again() {
    families_->retries.Increment();
}

void Metrics::rate_changed(double requests_per_second) {
    families_->request_rate.Add({}).Set(requests_per_second);
}

void Metrics::stored(const sync::Written& written) {
    families_->inserted.Increment(static_cast<double>(written.inserted));
    families_->updated.Increment(static_cast<double>(written.updated));
    families_->removed.Increment(static_cast<double>(written.removed));
}

void Metrics::set_file(const Statuses& all) {
    for (const Status& status : all) {
        if (status.followed) {
            families_->set_stream(status);
        }
    }
    const Status& file = all.front();
    set(families_->database_bytes, file.database_bytes);
    set(families_->wal_bytes, file.wal_bytes);
    set(families_->requests_today, file.requests.today);
    set(families_->requests_month, file.requests.month);
    set_or_remove(families_->requests_per_day, file.requests.per_day);
}

void Metrics::set_free_bytes(std::uint64_t bytes) {
    set(families_->free_bytes, bytes);
}

void Metrics::set_process(const ProcessUsage& usage) {
    Counter& cpu = families_->cpu_seconds.Add({});
    cpu.Increment(seconds_of(usage.cpu_time) - cpu.Value());
    set(families_->resident_bytes, usage.resident_bytes);
    families_->started.Add({}).Set(usage.started_unix_seconds);
}

void Metrics::set_run(ExitCode code, Instant ended) {
    set(families_->last_run_exit_code, static_cast<std::uint64_t>(code));
    set_time(families_->last_run, ended);
}

std::string Metrics::text() const {
    return prometheus::TextSerializer().Serialize(families_->registry.Collect());
}

}  // namespace mirror::daemon

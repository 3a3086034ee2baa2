#include "daemon/report/report_source.hpp"

#include "daemon/report/report_page.hpp"
#include "storage/status_reader.hpp"

namespace mirror::daemon {

using std::chrono::days;

namespace {

storage::FileStatus file_of(const ReportSource& source) {
    storage::StatusOptions options;
    options.path = source.database;
    options.busy_timeout = source.busy_timeout;
    return storage::read_status(options);
}

Zone zone_of(const storage::FileStatus& file, const ReportSource& source) {
    return Zone(file.time_zone.empty() ? source.time_zone : file.time_zone);
}

}  // namespace

LocalPeriod last_thirty_days(Instant now, const Zone& zone) {
    const LocalTime tomorrow = std::chrono::floor<days>(zone.to_local(now)) + days(1);
    return {tomorrow - days(30), tomorrow};
}

ReportCounts count_for_report(const ReportSource& source, const ReportPeriod& period, Instant now) {
    storage::ReportOptions options;
    options.path = source.database;
    options.period = period(now, zone_of(file_of(source), source));
    options.busy_timeout = source.busy_timeout;
    options.go_on = source.go_on;
    return {now, storage::read_report(options)};
}

std::string draw_report(const ReportSource& source, const ReportPeriod& period, Instant now,
                        const std::optional<ReportCounts>& counts, bool served) {
    Report report;
    report.now = now;
    report.served = served;
    report.file = file_of(source);
    report.statuses = assess_all(report.file, source.streams, now);
    const Zone zone = zone_of(report.file, source);
    report.period = period(now, zone);
    if (counts) {
        report.numbers = counts->numbers;
        report.counted = counts->at;
    }
    return report_page(report, zone);
}

}  // namespace mirror::daemon

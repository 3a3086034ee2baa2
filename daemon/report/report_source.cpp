#include "daemon/report/report_source.hpp"

#include "daemon/report/report_page.hpp"
#include "storage/report_reader.hpp"
#include "storage/status_reader.hpp"

namespace mirror::daemon {

using std::chrono::days;

LocalPeriod last_thirty_days(Instant now, const Zone& zone) {
    const LocalTime tomorrow = std::chrono::floor<days>(zone.to_local(now)) + days(1);
    return {tomorrow - days(30), tomorrow};
}

std::string draw_report(const ReportSource& source, const ReportPeriod& period, Instant now,
                        bool served) {
    storage::StatusOptions status;
    status.path = source.database;
    status.busy_timeout = source.busy_timeout;
    Report report;
    report.now = now;
    report.served = served;
    report.file = storage::read_status(status);
    report.statuses = assess_all(report.file, source.streams, now);
    const Zone zone(report.file.time_zone.empty() ? source.time_zone : report.file.time_zone);
    report.period = period(now, zone);
    storage::ReportOptions options;
    options.path = source.database;
    options.period = report.period;
    options.busy_timeout = source.busy_timeout;
    options.go_on = source.go_on;
    report.numbers = storage::read_report(options);
    return report_page(report, zone);
}

}  // namespace mirror::daemon

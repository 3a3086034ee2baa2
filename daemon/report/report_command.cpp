#include "daemon/report/report_command.hpp"

#include <ostream>
#include <string>
#include <sys/types.h>

#include <fmt/format.h>

#include "core/time/text.hpp"
#include "core/util/replacement_file.hpp"
#include "daemon/config/stream_choice.hpp"
#include "daemon/process/usage_error.hpp"
#include "daemon/report/report_source.hpp"

namespace mirror::daemon {
namespace {

using std::chrono::days;

constexpr days usual_days(30);
constexpr days most_days(1100);  // three years: more has no room in a picture
constexpr mode_t file_mode = 0640;

LocalTime midnight_before(LocalTime time) {
    return std::chrono::floor<days>(time);
}

LocalTime midnight_after(LocalTime time) {
    return std::chrono::ceil<days>(time);
}

void write_file(const std::filesystem::path& target, const std::string& page) {
    try {
        ReplacementFile file(target, file_mode);
        file.write(page);
        file.replace();
    } catch (const FileError& error) {
        throw UsageError(fmt::format("--output {}: cannot {}: {}; name another file",
                                     target.string(), error.attempt(), error.code().message()));
    }
}

}  // namespace

LocalPeriod report_period(const CommandLine& line, Instant now, const Zone& zone) {
    const LocalTime today = midnight_before(zone.to_local(now));
    refuse_future("--from", line.from, now, zone);
    LocalPeriod period{{}, today + days(1)};
    if (line.to) {
        period.end = midnight_after(local_time_of(*line.to, now, zone));
    }
    period.begin =
        line.from ? midnight_before(local_time_of(*line.from, now, zone)) : period.end - usual_days;
    if (period.begin >= period.end) {
        throw UsageError(
            fmt::format("--from {} must be before --to {}; name an earlier --from or a later --to",
                        format_day(period.begin), format_day(period.end)));
    }
    if (period.end - period.begin > most_days) {
        throw UsageError(fmt::format("--from {} to --to {}: a report has at most {} days",
                                     format_day(period.begin), format_day(period.end),
                                     most_days.count()));
    }
    return period;
}

ExitCode write_report(const CommandLine& line, const Config& config,
                      const Environment& environment) {
    ReportSource source;
    source.database = config.mirror.database;
    source.streams = streams_named(config.mirror.streams);
    source.time_zone = config.api.time_zone;
    const auto period = [&](Instant now, const Zone& zone) {
        return report_period(line, now, zone);
    };
    const Instant now = environment.clock.utc();
    const std::string page =
        draw_report(source, period, now, count_for_report(source, period, now));
    if (line.output) {
        write_file(*line.output, page);
    } else {
        environment.out << page << std::flush;
    }
    return ExitCode::done;
}

}  // namespace mirror::daemon

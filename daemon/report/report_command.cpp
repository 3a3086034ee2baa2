#include "daemon/report/report_command.hpp"

#include <fstream>
#include <ostream>
#include <string>
#include <sys/types.h>

#include <fmt/format.h>

#include "core/time/text.hpp"
#include "core/util/replacement_file.hpp"
#include "daemon/config/stream_choice.hpp"
#include "daemon/process/usage_error.hpp"
#include "daemon/report/report_source.hpp"
#include "storage/mirror_files.hpp"

namespace mirror::daemon {
namespace {

using std::chrono::days;

constexpr days usual_days(30);
constexpr days most_days(1100);  // three years: more has no room in a picture
constexpr mode_t file_mode = 0640;
constexpr std::string_view html_begin = "<!DOCTYPE html";

LocalTime midnight_before(LocalTime time) {
    return std::chrono::floor<days>(time);
}

LocalTime midnight_after(LocalTime time) {
    return std::chrono::ceil<days>(time);
}

// A terminal, a pipe, /dev/null.
bool is_special(const std::filesystem::path& target) {
    std::error_code ignored;
    const auto kind = std::filesystem::status(target, ignored).type();
    return kind == std::filesystem::file_type::character ||
           kind == std::filesystem::file_type::fifo;
}

void refuse(const std::filesystem::path& target, const std::string& why) {
    throw UsageError(fmt::format("--output {}: {}; name another file", target.string(), why));
}

void check_target(const std::filesystem::path& target, const std::filesystem::path& database) {
    if (storage::is_of_mirror(database, target)) {
        refuse(target, "it belongs to the mirror");
    }
    if (is_special(target)) {
        return;
    }
    if (const auto why = why_not_to_replace(target, html_begin, "an HTML page")) {
        refuse(target, *why);
    }
}

void write_file(const std::filesystem::path& target, const std::string& page) {
    if (is_special(target)) {
        std::ofstream special(target, std::ios::binary);
        special << page << std::flush;
        if (!special) {
            refuse(target, "it cannot be written");
        }
        return;
    }
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
    const bool to_file = line.output && *line.output != "-";
    if (to_file) {
        check_target(*line.output, config.mirror.database);
    }
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
    if (to_file) {
        write_file(*line.output, page);
    } else {
        environment.out << page << std::flush;
    }
    return ExitCode::done;
}

}  // namespace mirror::daemon

#include "daemon/commands/period.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include "core/time/text.hpp"
#include "daemon/process/usage_error.hpp"

namespace mirror::daemon {
namespace {

std::optional<LocalTime> bound(const std::optional<PointInTime>& point, bool begins, Instant now,
                               const Zone& zone, std::vector<std::string>& notes) {
    if (!point) {
        return std::nullopt;
    }
    const LocalTime local = local_time_of(*point, now, zone);
    if (auto note = clock_change_note(begins ? "--from" : "--to", local, begins, zone)) {
        notes.push_back(std::move(*note));
    }
    return local;
}

}  // namespace

RequestedPeriod requested_period(const CommandLine& line, Instant now, const Zone& zone) {
    RequestedPeriod period;
    period.from = bound(line.from, true, now, zone, period.notes);
    period.to = bound(line.to, false, now, zone, period.notes);
    refuse_future("--from", line.from, now, zone);
    if (!period.from || !period.to) {
        return period;
    }
    const Instant begin = instant_of(*line.from, true, now, zone);
    const Instant end = instant_of(*line.to, false, now, zone);
    if (begin >= end) {
        throw UsageError(
            *period.from < *period.to && begin == end
                ? fmt::format("--from {} to --to {}: no such time exists in {}, because clocks "
                              "went forward then",
                              format_local(*period.from), format_local(*period.to), zone.name())
                : fmt::format(
                      "--from {} must be before --to {}; name an earlier --from or a later --to",
                      format_local(*period.from), format_local(*period.to)));
    }
    return period;
}

RequestedPeriod requested_period(const CommandLine& line, const Config& config,
                                 const Environment& environment, spdlog::logger& log) {
    RequestedPeriod period =
        requested_period(line, environment.clock.utc(), Zone(config.api.time_zone));
    for (const std::string& note : period.notes) {
        log.warn("{}", note);
    }
    return period;
}

}  // namespace mirror::daemon

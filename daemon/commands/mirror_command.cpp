#include "daemon/commands/mirror_command.hpp"

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/time/text.hpp"
#include "core/util/printable.hpp"
#include "daemon/cli/terminal_text.hpp"
#include "daemon/commands/load_notice.hpp"
#include "daemon/commands/period.hpp"
#include "daemon/commands/run_settings.hpp"
#include "daemon/commands/runtime.hpp"
#include "daemon/config/config_change.hpp"
#include "daemon/config/longest_pause.hpp"
#include "daemon/log/logging.hpp"
#include "daemon/metrics/metrics_service.hpp"
#include "daemon/process/reload_signal.hpp"
#include "daemon/process/usage_error.hpp"
#include "daemon/service/service_report.hpp"
#include "daemon/service/watchdog_feeder.hpp"
#include "storage/sqlite/file_lock.hpp"

namespace mirror::daemon {
namespace {

constexpr std::size_t longest_message = 4000;

std::string local_text(const Zone& zone, Instant at) {
    return format_local(zone.to_local(at));
}

std::string summary(const sync::Outcome& outcome, const Zone& zone) {
    std::string text =
        outcome.whole()
            ? fmt::format("complete from {} to {} ({})", local_text(zone, outcome.period.begin),
                          local_text(zone, outcome.period.end), zone.name())
            : fmt::format("NOT complete from {} to {} ({})", local_text(zone, outcome.period.begin),
                          local_text(zone, outcome.period.end), zone.name());
    text += fmt::format(": {} new, {} changed, {} unchanged", grouped(outcome.written.inserted),
                        grouped(outcome.written.updated), grouped(outcome.written.unchanged));
    const std::uint64_t removed = outcome.written.removed - outcome.written.unmarked;
    if (removed > 0) {
        text += fmt::format(", {} removed", grouped(removed));
    }
    if (outcome.written.doubted > 0) {
        text += fmt::format(", {} in doubt", grouped(outcome.written.doubted));
    }
    if (outcome.written.rejected > 0) {
        text += fmt::format(", {} rejected", grouped(outcome.written.rejected));
    }
    if (!outcome.unread.empty()) {
        text += fmt::format(", {} {} left out", outcome.unread.size(),
                            outcome.unread.size() == 1 ? "period" : "periods");
    }
    if (outcome.difference) {
        text += ", the API's count differs";
    }
    return text + fmt::format("; {} requests\n", grouped(outcome.requests));
}

using Results = std::vector<sync::StreamResult<sync::Outcome>>;

// A line for each stream.
void print_summaries(const Results& results, const Zone& zone, std::ostream& out) {
    for (const auto& result : results) {
        if (results.size() > 1) {
            out << result.stream->name << ": ";
        }
        out << (result.result ? summary(*result.result, zone) : "NOT fetched: the API fails\n");
    }
    out << std::flush;
}

bool all_whole(const Results& results) {
    return std::all_of(results.begin(), results.end(),
                       [](const auto& result) { return result.result && result.result->whole(); });
}

boost::asio::awaitable<Results> work_of(const CommandLine& line, const RequestedPeriod& period,
                                        sync::Session& session) {
    if (line.command != Command::backfill) {
        return session.sync_all();
    }
    sync::BackfillRequest request;
    request.from = period.from.value();
    request.to = period.to;
    request.force = line.force;
    return session.backfill_all(request);
}

// This machine's clock may be ahead of the API's, which alone proves anything complete.
void refuse_empty_period(const CommandLine& line, const sync::Outcome& outcome, const Zone& zone) {
    if (outcome.period.empty()) {
        throw UsageError(
            fmt::format("{} {} is in the future: by the API's clock, it is {} in {}",
                        line.command == Command::backfill ? "--from" : "the configured start",
                        local_text(zone, outcome.period.begin),
                        local_text(zone, outcome.period.end), zone.name()));
    }
}

// Nothing if none are wanted.
std::unique_ptr<MetricsService> serve_metrics(const Config& config, const Environment& environment,
                                              Runtime& mirror, spdlog::logger& log) {
    if (!config.metrics.listen) {
        return nullptr;
    }
    auto service = std::make_unique<MetricsService>(
        mirror.executor(), *config.metrics.listen, mirror.database(),
        chosen_streams(CommandLine{}, config), environment.clock, longest_pause(config),
        [&mirror] { return mirror.storage_activity(); }, config.api.time_zone);
    mirror.observe(service->metrics());
    mirror.observe(service->health());
    log.info("metrics are at http://{}/metrics", service->where());
    if (!config.metrics.listen->loopback) {
        log.warn(
            "metrics are served to other machines, too: whoever reaches {} may read them; put them "
            "on 127.0.0.1 unless that is meant",
            service->where());
    }
    return service;
}

// Takes over what can change, and says what cannot. A configuration that is wrong changes nothing.
void reload(const CommandLine& line, Config& in_force, const std::function<Config()>& read,
            Runtime& mirror, spdlog::logger& log) {
    try {
        const Config now = read();
        const ConfigChange change = compare(in_force, now);
        apply(in_force, now);
        mirror.use(in_force);
        LogOptions options;
        options.level = in_force.log.level;
        options.quiet = line.quiet;
        set_level(log, options);
        log.info("the configuration was read again; {}",
                 change.takes_effect.empty()
                     ? "nothing changed that takes effect now"
                     : fmt::format("in effect now: {}", fmt::join(change.takes_effect, ", ")));
        if (!change.not_for_run.empty()) {
            log.info("changed, but only for sync, backfill and audit: {}",
                     fmt::join(change.not_for_run, ", "));
        }
        if (!change.needs_restart.empty()) {
            log.warn("changed, but in effect only after a restart: {}",
                     fmt::join(change.needs_restart, ", "));
        }
        for (const std::string& warning : now.warnings) {
            log.warn("{}", printable(warning, longest_message));
        }
        if (now.untrusted) {
            log.warn("{}", printable(*now.untrusted, longest_message));
        }
    } catch (const std::exception& error) {
        log.error("the configuration was read again and is wrong, so nothing changed: {}",
                  printable(error.what(), longest_message));
    }
}

}  // namespace

ExitCode run_mirror(const CommandLine& line, const Config& config, const Environment& environment,
                    const std::shared_ptr<spdlog::logger>& log,
                    const std::function<Config()>& read_again) {
    ServiceReport report(*environment.service_manager, environment.clock,
                         Zone(config.api.time_zone));
    Runtime mirror(line, config, environment, log, [&report] { report.opening(); });
    const storage::RunLock only_one(mirror.database());
    LoadNotice notice(config, *log);
    mirror.observe(notice);
    mirror.observe(report);
    mirror.on_stop([&report] { report.stopping(); });
    WatchdogFeeder feeder(
        mirror.executor(), *environment.service_manager,
        [&mirror] { return mirror.storage_activity(); },
        [&report](bool held_up) { report.held_up(held_up); });
    const auto metrics = serve_metrics(config, environment, mirror, *log);
    Config in_force = config;
    ReloadSignal hangup(mirror.executor(), [&] {
        report.reloading();
        reload(line, in_force, read_again, mirror, *log);
        if (metrics) {
            metrics->set_poll_interval(longest_pause(in_force));
        }
        report.reloaded();
    });
    mirror.on_end([&] {
        report.stopping();
        feeder.close();
        hangup.close();
        if (metrics) {
            metrics->close();
        }
    });
    report.ready();
    mirror.run(mirror.session().run());
    return ExitCode::done;
}

ExitCode mirror_once(const CommandLine& line, const Config& config, const Environment& environment,
                     const std::shared_ptr<spdlog::logger>& log, sync::Observer* metrics) {
    const RequestedPeriod period = requested_period(line, config, environment, *log);
    Runtime mirror(line, config, environment, log);
    LoadNotice notice(config, *log);
    mirror.observe(notice);
    if (metrics != nullptr) {
        mirror.observe(*metrics);
    }
    const std::optional<Results> results = mirror.run(work_of(line, period, mirror.session()));
    if (!results) {
        return mirror.stopped_by();
    }
    std::uint64_t rejected = 0;
    for (const auto& result : *results) {
        if (result.failed) {
            log->error("{}: {}", result.stream->name, printable(*result.failed, longest_message));
        }
        if (result.result) {
            refuse_empty_period(line, *result.result, mirror.zone());
            rejected += result.result->written.rejected;
        }
    }
    if (rejected > 0) {
        log->warn("{} could not be stored as {}; the table rejects has {}, with the {}",
                  counted(rejected, "record"), rejected == 1 ? "a row" : "rows",
                  rejected == 1 ? "it" : "them", rejected == 1 ? "reason" : "reasons");
    }
    print_summaries(*results, mirror.zone(), environment.out);
    return all_whole(*results) ? ExitCode::done : ExitCode::not_whole;
}

}  // namespace mirror::daemon

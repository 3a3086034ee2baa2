#include "daemon/commands/estimate_command.hpp"

#include <algorithm>
#include <csignal>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include "core/copernica/client.hpp"
#include "core/copernica/errors.hpp"
#include "core/copernica/http_api.hpp"
#include "core/http/url.hpp"
#include "core/sync/estimate.hpp"
#include "daemon/cli/progress.hpp"
#include "daemon/cli/waiting_notice.hpp"
#include "daemon/commands/load_text.hpp"
#include "daemon/commands/period.hpp"
#include "daemon/commands/run_settings.hpp"
#include "daemon/commands/runtime.hpp"
#include "daemon/config/token.hpp"
#include "daemon/log/observers.hpp"
#include "daemon/process/stop_signals.hpp"
#include "storage/status_reader.hpp"

namespace mirror::daemon {
namespace {

namespace asio = boost::asio;

constexpr std::uint64_t most_requests = 10;  // for each stream

// What the file has already; nothing without a file.
WindowSet covered_by(const std::filesystem::path& database, const Stream& stream) {
    std::error_code ignored;
    if (!std::filesystem::exists(database, ignored)) {
        return {};
    }
    storage::StatusOptions options;
    options.path = database;
    options.runs = 0;
    return storage::read_status(options).of(stream).coverage;
}

// What the command would fetch.
WindowSet missing_for(const CommandLine& line, const Config& config, const RequestedPeriod& period,
                      const sync::Settings& settings, const Stream& stream, Instant settled) {
    const Zone& zone = settings.zone;
    const LocalTime from = period.from.value_or(settings.start);
    Window wanted{zone.align_down(zone.earliest(from)), settled};
    if (period.to) {
        wanted.end = std::min(settled, zone.align_up(zone.latest(*period.to)));
    }
    WindowSet missing(wanted);
    if (!line.force) {
        missing.subtract(covered_by(config.mirror.database, stream));
    }
    return missing;
}

struct Estimated {
    const Stream* stream = nullptr;
    sync::CountedRows rows;
    std::string failed;  // why the API does not count it; empty: it does
};

// A stream that the API refuses does not end the estimate, unless all of them fail.
asio::awaitable<void> count(const CommandLine& line, const Config& config,
                            const RequestedPeriod& period, copernica::ApiAccess& access,
                            std::vector<Estimated>& counted) {
    std::exception_ptr first_failure;
    for (const Stream* const stream : chosen_streams(line, config)) {
        const sync::Settings settings = settings_of(line.command, config, *stream);
        copernica::Client client(access, access.observer(), *stream);
        if (counted.empty()) {
            // It also says what time the server has.
            co_await client.identity_with_retry();
        }
        WindowSet missing = missing_for(line, config, period, settings, *stream, client.settled());
        const std::uint64_t left = most_requests - std::min(client.requests(), most_requests);
        Estimated found;
        found.stream = stream;
        try {
            found.rows = co_await sync::count_rows(client, settings, std::move(missing), left);
            if (found.rows.nothing_known) {
                found.failed = "the API counts no period of this length; name a shorter one";
            }
        } catch (const copernica::ApiFailed& error) {
            found.failed = error.what();
            if (!first_failure) {
                first_failure = std::current_exception();
            }
        }
        counted.push_back(std::move(found));
    }
    const bool all_failed = std::all_of(counted.begin(), counted.end(),
                                        [](const Estimated& one) { return !one.failed.empty(); });
    if (all_failed && first_failure) {
        std::rethrow_exception(first_failure);
    }
}

void print(const std::vector<Estimated>& all, const Config& config,
           const Environment& environment) {
    std::vector<plan::LoadEstimate> loads;
    for (const Estimated& counted : all) {
        if (all.size() > 1) {
            environment.out << counted.stream->name << ": ";
        }
        if (!counted.failed.empty()) {
            environment.out << "NOT counted: " << counted.failed << "\n";
            continue;
        }
        const plan::LoadSettings settings = load_settings(config, *counted.stream);
        loads.push_back(plan::estimate_load(counted.rows.rows, settings));
        environment.out << (all.size() > 1 ? estimate_text(loads.back(), settings)
                                           : load_text(counted.rows.rows, config, *counted.stream));
        if (!counted.rows.exact) {
            environment.out
                << "; the API does not count so long a period, so part of it is a guess";
        }
        environment.out << "\n";
    }
    if (all.size() > 1) {
        const plan::LoadSettings shared = load_settings(config, *all.front().stream);
        const plan::LoadEstimate sum = plan::sum_of(loads, shared);
        environment.out << "together: " << estimate_text(sum, shared)
                        << room_text(sum.bytes, config) << "\n";
    }
    environment.out << std::flush;
}

}  // namespace

ExitCode print_estimate(const CommandLine& line, const Config& config,
                        const Environment& environment,
                        const std::shared_ptr<spdlog::logger>& log) {
    const RequestedPeriod period = requested_period(line, config, environment, *log);
    const sync::Settings settings =
        settings_of(line.command, config, *chosen_streams(line, config).front());
    FoundToken token = find_token(line.token_file, config.api.token_file, environment);
    asio::io_context loop(1);
    ProgressDisplay display(loop.get_executor(), environment, log, settings.zone, line.quiet);
    WaitingNotice waiting(loop.get_executor(), display, http::parse_base_url(config.api.url).host);
    Observers observers;
    observers.add(display);
    observers.add(waiting);
    copernica::HttpApi api = make_api(config, std::move(token.token), environment, observers);
    const std::size_t streams = chosen_streams(line, config).size();
    copernica::ApiAccess access(loop.get_executor(), api, environment.clock, observers, settings,
                                static_cast<unsigned>(streams));
    StopSignals signals(loop.get_executor());
    std::vector<Estimated> counted;
    std::exception_ptr failed;
    asio::co_spawn(
        loop, count(line, config, period, access, counted),
        asio::bind_cancellation_slot(signals.slot(), [&](const std::exception_ptr& error) {
            failed = error;
            signals.close();
            waiting.close();
            api.close();
        }));
    loop.run();
    if (failed && signals.caught()) {
        return *signals.caught() == SIGINT ? ExitCode::interrupted : ExitCode::terminated;
    }
    if (failed) {
        std::rethrow_exception(failed);
    }
    print(counted, config, environment);
    const bool whole = std::all_of(counted.begin(), counted.end(),
                                   [](const Estimated& one) { return one.failed.empty(); });
    return whole ? ExitCode::done : ExitCode::not_whole;
}

}  // namespace mirror::daemon

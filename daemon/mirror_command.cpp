#include "daemon/mirror_command.hpp"

#include <csignal>
#include <exception>
#include <optional>
#include <ostream>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include "core/api/http_api.hpp"
#include "core/sync/errors.hpp"
#include "core/sync/session.hpp"
#include "core/time/text.hpp"
#include "daemon/progress.hpp"
#include "daemon/stop_signals.hpp"
#include "daemon/token.hpp"
#include "daemon/usage_error.hpp"
#include "daemon/version.hpp"
#include "storage/sqlite_store.hpp"

namespace mirror::daemon {
namespace {

namespace asio = boost::asio;

sync::Settings settings_of(const Config& config) {
    sync::Settings settings{Zone(config.api.time_zone)};
    if (config.mirror.start) {
        settings.start = *config.mirror.start;
    }
    settings.page_size = config.api.page_size;
    settings.connections = config.api.connections;
    settings.requests_per_second = config.api.requests_per_second;
    settings.overlap = config.mirror.overlap;
    settings.settle = config.mirror.settle;
    settings.give_up_after = config.mirror.give_up_after;
    return settings;
}

api::HttpApi make_api(const Config& config, std::string token) {
    try {
        api::HttpOptions options(api::parse_base_url(config.api.url),
                                 api::Secret(std::move(token)));
        options.ca_file = config.api.ca_file.string();
        options.connections = config.api.connections;
        options.version = version;
        return api::HttpApi(std::move(options));
    } catch (const std::invalid_argument& error) {
        throw UsageError(fmt::format("[api] url: {}", error.what()));
    } catch (const std::runtime_error& error) {
        throw UsageError(fmt::format("[api] ca_file: {}", error.what()));
    }
}

storage::MirrorOptions store_options(const Config& config, const Zone& zone) {
    storage::MirrorOptions options{config.mirror.database, zone};
    options.indexes =
        std::set<std::string>(config.mirror.indexes.begin(), config.mirror.indexes.end());
    options.api_url = config.api.url;
    options.program_version = version;
    return options;
}

std::string local_text(const Zone& zone, Instant at) {
    return format_local(zone.to_local(at));
}

void print_summary(const sync::Outcome& outcome, const Zone& zone, std::ostream& out) {
    std::string text =
        outcome.whole()
            ? fmt::format("complete from {} to {} ({})", local_text(zone, outcome.period.begin),
                          local_text(zone, outcome.period.end), zone.name())
            : fmt::format("NOT complete from {} to {} ({})", local_text(zone, outcome.period.begin),
                          local_text(zone, outcome.period.end), zone.name());
    text += fmt::format(": {} new, {} changed, {} unchanged", grouped(outcome.written.inserted),
                        grouped(outcome.written.updated), grouped(outcome.written.unchanged));
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
    out << text << fmt::format("; {} requests\n", grouped(outcome.requests)) << std::flush;
}

ExitCode stopped_by(int signal) {
    return signal == SIGINT ? ExitCode::interrupted : ExitCode::terminated;
}

bool is_cancellation(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const boost::system::system_error& failed) {
        return failed.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

}  // namespace

ExitCode mirror_once(const CommandLine& line, const Config& config, const Environment& environment,
                     const std::shared_ptr<spdlog::logger>& log) {
    const sync::Settings settings = settings_of(config);
    FoundToken token = find_token(line.token_file, config.api.token_file, environment);
    if (token.warning) {
        log->warn("{}", *token.warning);
    }
    api::HttpApi api = make_api(config, std::move(token.token));

    asio::io_context loop(1);
    storage::SqliteStore store(store_options(config, settings.zone), environment.clock);
    ProgressDisplay display(environment, log, settings.zone, line.quiet);
    sync::Session session(loop.get_executor(), api, store, environment.clock, display, settings);
    StopSignals signals(loop.get_executor());

    sync::BackfillRequest request;
    request.from = line.from;
    request.to = line.to;
    request.force = line.force;
    asio::awaitable<sync::Outcome> work =
        line.command == Command::backfill ? session.backfill(request) : session.sync();

    std::exception_ptr failed;
    std::optional<sync::Outcome> outcome;
    asio::co_spawn(loop, std::move(work),
                   asio::bind_cancellation_slot(
                       signals.slot(), [&](const std::exception_ptr& error, sync::Outcome result) {
                           failed = error;
                           outcome = std::move(result);
                           signals.close();
                           api.close();
                       }));
    loop.run();
    display.clear();

    if (failed && signals.caught() && is_cancellation(failed)) {
        log->info("stopped; the next run goes on where this one was");
        return stopped_by(*signals.caught());
    }
    try {
        if (failed) {
            std::rethrow_exception(failed);
        }
    } catch (const sync::TokenRefused& error) {
        throw sync::TokenRefused(fmt::format("{}; the token came from {}: put a new one there",
                                             error.what(), token.source));
    }
    if (outcome->written.rejected > 0) {
        log->warn(
            "{} records could not be stored as rows; the table rejects has them, with the "
            "reasons",
            outcome->written.rejected);
    }
    print_summary(*outcome, settings.zone, environment.out);
    return outcome->whole() ? ExitCode::done : ExitCode::not_whole;
}

}  // namespace mirror::daemon

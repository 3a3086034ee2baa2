#include "daemon/commands/runtime.hpp"

#include <csignal>
#include <cstddef>
#include <set>
#include <stdexcept>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include "core/copernica/errors.hpp"
#include "daemon/commands/run_settings.hpp"
#include "daemon/config/open_rules_file.hpp"
#include "daemon/config/proxy_choice.hpp"
#include "daemon/process/usage_error.hpp"
#include "daemon/process/version.hpp"
#include "storage/inspection.hpp"

namespace mirror::daemon {

namespace asio = boost::asio;

namespace {

// A budget of requests leaves polls theirs, if there are any.
std::vector<sync::Settings> settings_beside(const CommandLine& line, const Config& config,
                                            const std::vector<const Stream*>& streams) {
    const bool leave_polls =
        line.command == Command::run || storage::inspect(config.mirror.database).run_lock_held;
    std::vector<sync::Settings> all;
    for (const Stream* const stream : streams) {
        all.push_back(settings_of(line.command, config, *stream));
        all.back().leave_polls = leave_polls;
    }
    return all;
}

std::vector<sync::StreamToMirror> to_mirror(storage::SqliteMirror& mirror,
                                            const std::vector<const Stream*>& streams,
                                            const std::vector<sync::Settings>& settings) {
    std::vector<sync::StreamToMirror> all;
    for (std::size_t i = 0; i < streams.size(); ++i) {
        all.push_back({mirror.store(*streams[i]), settings[i]});
    }
    return all;
}

}  // namespace

copernica::HttpApi make_api(const Config& config, std::string token, const Environment& environment,
                            copernica::RequestObserver& observer) {
    try {
        copernica::HttpOptions options(http::parse_base_url(config.api.url),
                                       Secret(std::move(token)));
        options.ca_file = config.api.ca_file.string();
        options.connections = config.api.connections;
        options.version = version;
        options.privacy = config.privacy.kept;
        options.auth_url = http::parse_base_url(config.api.auth_url);
        options.proxy = choose_proxy(config, environment, options.url);
        options.auth_proxy = choose_proxy(config, environment, *options.auth_url);
        options.clock = &environment.clock;
        options.observer = &observer;
        return copernica::HttpApi(std::move(options));
    } catch (const UsageError&) {
        throw;
    } catch (const std::invalid_argument& error) {
        throw UsageError(fmt::format("{}: {}", config.name_of("[api] url"), error.what()));
    } catch (const std::runtime_error& error) {
        throw UsageError(fmt::format("{}: {}", config.name_of("[api] ca_file"), error.what()));
    }
}

namespace {

copernica::TokenReload::Source token_source(const FoundToken& found, copernica::HttpApi& api) {
    copernica::TokenReload::Source source;
    source.read = [file = found.file]() -> std::optional<std::string> {
        return file ? token_now(*file) : std::nullopt;
    };
    source.use = [&api](Secret token) { api.set_token(std::move(token)); };
    return source;
}

// Of a `run` that is at work, no other command changes what it keeps.
storage::MirrorOptions store_options(const CommandLine& line, const Config& config,
                                     const Zone& zone) {
    storage::MirrorOptions options{config.mirror.database, zone};
    options.privacy = config.privacy.kept;
    options.may_change_privacy =
        line.command == Command::run || !storage::inspect(config.mirror.database).run_lock_held;
    options.indexes =
        std::set<std::string>(config.mirror.indexes.begin(), config.mirror.indexes.end());
    for (const auto& [stream, differing] : config.streams) {
        if (differing.indexes) {
            options.stream_indexes[stream] =
                std::set<std::string>(differing.indexes->begin(), differing.indexes->end());
        }
    }
    options.open_rules = config.open_rules ? *config.open_rules : packaged_open_rules();
    options.api_url = config.api.url;
    options.program_version = version;
    return options;
}

}  // namespace

Runtime::Runtime(const CommandLine& line, const Config& config, const Environment& environment,
                 std::shared_ptr<spdlog::logger> log, std::function<void()> opening)
    : log_(std::move(log)),
      streams_(chosen_streams(line, config)),
      settings_(settings_beside(line, config, streams_)),
      token_(find_token(line.token_file, config.api.token_file, environment)),
      api_(make_api(config, std::move(token_.token), environment, observers_)),
      renewed_(api_, api_.token(), token_source(token_, api_), observers_),
      mirror_(store_options(line, config, zone()), environment.clock, std::move(opening)),
      display_(loop_.get_executor(), environment, log_, zone(), line.quiet),
      waiting_(loop_.get_executor(), display_, http::parse_base_url(config.api.url).host),
      session_(loop_.get_executor(), renewed_, to_mirror(mirror_, streams_, settings_),
               environment.clock, observers_),
      signals_(loop_.get_executor()) {
    signals_.grace([this] { return session_.finish_soon(); });
    observers_.add(display_);
    observers_.add(waiting_);
    for (sync::Settings& settings : settings_) {
        settings.token_advice = token_.advice;
    }
    if (token_.warning) {
        log_->warn("{}", *token_.warning);
    }
}

void Runtime::use(const Config& config) {
    for (std::size_t i = 0; i < streams_.size(); ++i) {
        adopt(settings_[i], config, *streams_[i]);
    }
    session_.use_rate();
}

bool Runtime::run(asio::awaitable<void> work) {
    std::exception_ptr failed;
    asio::co_spawn(
        loop_, std::move(work),
        asio::bind_cancellation_slot(signals_.slot(), [&](const std::exception_ptr& error) {
            failed = error;
            close();
        }));
    loop_.run();
    display_.clear();
    if (failed) {
        rethrow_unless_stopped(failed);
    }
    return !failed;
}

void Runtime::close() {
    signals_.close();
    display_.progress_paused();
    api_.close();
    waiting_.close();
    for (const auto& function : at_end_) {
        function();
    }
}

ExitCode Runtime::stopped_by() const {
    return signals_.caught() == SIGINT ? ExitCode::interrupted : ExitCode::terminated;
}

void Runtime::rethrow_unless_stopped(const std::exception_ptr& error) const {
    try {
        std::rethrow_exception(error);
    } catch (const boost::system::system_error& failed) {
        if (!signals_.caught() || failed.code() != asio::error::operation_aborted) {
            throw;
        }
        log_->info("stopped; the next run continues from here");
    } catch (const copernica::TokenRefused& failed) {
        throw copernica::TokenRefused(fmt::format("{}; the token came from {}: put a new one there",
                                                  failed.what(), token_.source));
    }
}

}  // namespace mirror::daemon

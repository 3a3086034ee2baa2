// What `run`, `sync`, `backfill` and `audit` share: a session with everything around it.
#pragma once

#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <spdlog/logger.h>

#include "core/copernica/http_api.hpp"
#include "core/copernica/token_reload.hpp"
#include "core/sync/session.hpp"
#include "core/sync/settings.hpp"
#include "daemon/cli/command_line.hpp"
#include "daemon/cli/progress.hpp"
#include "daemon/cli/waiting_notice.hpp"
#include "daemon/config/config.hpp"
#include "daemon/config/token.hpp"
#include "daemon/log/observers.hpp"
#include "daemon/process/environment.hpp"
#include "daemon/process/exit_code.hpp"
#include "daemon/process/stop_signals.hpp"
#include "storage/sqlite_mirror.hpp"

namespace mirror::daemon {

/// The API with that token. `environment` and `observer` must outlive it. Throws UsageError.
copernica::HttpApi make_api(const Config& config, std::string token, const Environment& environment,
                            copernica::RequestObserver& observer);

/// Opens the file and sets up the API, the loop and the signals; runs one piece of work.
class Runtime {
  public:
    /// Throws UsageError, UnknownZone, storage errors. Asks the API nothing. `opening` is called
    /// now and then while the file is opened.
    Runtime(const CommandLine& line, const Config& config, const Environment& environment,
            std::shared_ptr<spdlog::logger> log, std::function<void()> opening = {});

    sync::Session& session() { return session_; }
    const std::filesystem::path& database() const { return mirror_.path(); }
    const Zone& zone() const { return settings_.front().zone; }
    storage::Activity storage_activity() const { return mirror_.activity(); }

    /// Takes over what may change while the session works (run_settings.hpp).
    void use(const Config& config);

    // For what else runs on the same loop. All of it must outlive run().
    boost::asio::any_io_executor executor() { return loop_.get_executor(); }
    void observe(sync::Observer& observer) { observers_.add(observer); }
    /// Called once, when a signal has asked for the end.
    void on_stop(std::function<void()> function) { signals_.on_first(std::move(function)); }
    /// Called when the work has ended: nothing may keep the loop running any more.
    void on_end(std::function<void()> function) { at_end_.push_back(std::move(function)); }

    /// Runs `work` to its end on this thread. Nothing if a signal stopped it: stopped_by() says
    /// with which exit code. Throws what the work throws.
    template <typename Result>
    std::optional<Result> run(boost::asio::awaitable<Result> work) {
        std::optional<Result> outcome;
        run(keep(std::move(work), outcome));
        return outcome;
    }

    /// The same for work without a result; false if a signal stopped it.
    bool run(boost::asio::awaitable<void> work);

    ExitCode stopped_by() const;

  private:
    template <typename Result>
    static boost::asio::awaitable<void> keep(boost::asio::awaitable<Result> work,
                                             std::optional<Result>& outcome) {
        outcome = co_await std::move(work);
    }
    void close();
    void rethrow_unless_stopped(const std::exception_ptr& error) const;

    std::shared_ptr<spdlog::logger> log_;
    std::vector<const Stream*> streams_;
    std::vector<sync::Settings> settings_;  // of each of them
    FoundToken token_;
    Observers observers_;
    copernica::HttpApi api_;
    copernica::TokenReload renewed_;
    boost::asio::io_context loop_{1};
    storage::SqliteMirror mirror_;
    ProgressDisplay display_;
    WaitingNotice waiting_;
    sync::Session session_;
    StopSignals signals_;
    std::vector<std::function<void()>> at_end_;
};

}  // namespace mirror::daemon

// What `sync`, `backfill` and `audit` share: a session with everything around it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <spdlog/logger.h>

#include "core/api/http_api.hpp"
#include "core/sync/session.hpp"
#include "core/sync/settings.hpp"
#include "daemon/command_line.hpp"
#include "daemon/config.hpp"
#include "daemon/environment.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/progress.hpp"
#include "daemon/stop_signals.hpp"
#include "daemon/token.hpp"
#include "storage/sqlite_store.hpp"

namespace mirror::daemon {

/// Opens the file and sets up the API, the loop and the signals; runs one piece of work.
class MirrorSession {
  public:
    /// Throws UsageError, UnknownZone, storage errors. Asks the API nothing.
    MirrorSession(const CommandLine& line, const Config& config, const Environment& environment,
                  std::shared_ptr<spdlog::logger> log);

    sync::Session& session() { return session_; }
    const Zone& zone() const { return settings_.zone; }

    /// Runs `work` to its end on this thread. Nothing where a signal stopped it: stopped_by() says
    /// with which exit code. Throws what the work throws.
    template <typename Result>
    std::optional<Result> run(boost::asio::awaitable<Result> work) {
        std::exception_ptr failed;
        std::optional<Result> outcome;
        boost::asio::co_spawn(
            loop_, std::move(work),
            boost::asio::bind_cancellation_slot(
                signals_.slot(), [&](const std::exception_ptr& error, Result result) {
                    failed = error;
                    outcome = std::move(result);
                    close();
                }));
        loop_.run();
        display_.clear();
        if (failed) {
            rethrow_unless_stopped(failed);
            return std::nullopt;
        }
        return outcome;
    }

    ExitCode stopped_by() const;

  private:
    void close();
    void rethrow_unless_stopped(const std::exception_ptr& error) const;

    std::shared_ptr<spdlog::logger> log_;
    sync::Settings settings_;
    FoundToken token_;
    api::HttpApi api_;
    boost::asio::io_context loop_{1};
    storage::SqliteStore store_;
    ProgressDisplay display_;
    sync::Session session_;
    StopSignals signals_;
};

}  // namespace mirror::daemon

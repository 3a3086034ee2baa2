// What `run`, `sync`, `backfill` and `audit` share: a session with everything around it.
#pragma once

#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>
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
    const std::filesystem::path& database() const { return store_.path(); }
    const Zone& zone() const { return settings_.zone; }

    /// Runs `work` to its end on this thread. Nothing where a signal stopped it: stopped_by() says
    /// with which exit code. Throws what the work throws.
    template <typename Result>
    std::optional<Result> run(boost::asio::awaitable<Result> work) {
        std::optional<Result> outcome;
        run(keep(std::move(work), outcome));
        return outcome;
    }

    /// The same for work without a result; false where a signal stopped it.
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

// One run against one account, in one piece: what the daemon and the tests start.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "core/sync/audit.hpp"
#include "core/sync/follower.hpp"
#include "core/sync/one_shot.hpp"
#include "core/sync/outcome.hpp"
#include "core/sync/run_context.hpp"

namespace mirror::sync {

/// Not reusable: one command, one session. Its calls throw what ends a run (copernica/errors.hpp,
/// sync/errors.hpp and the storage's errors), operation_aborted when cancelled; the run's row in
/// `runs` and the last error are written in every case, unless the file is another
/// account's.
class Session {
  public:
    Session(const boost::asio::any_io_executor& executor, copernica::Api& api, Store& store,
            Clock& clock, Observer& observer, const Settings& settings)
        : context_(executor, api, store, clock, observer, settings),
          one_shot_(context_),
          follower_(context_) {}

    /// Brings everything since `settings.start` up to the server's settled now.
    boost::asio::awaitable<Outcome> sync() { return one_shot_.sync(); }

    /// Fetches what is missing of a period.
    boost::asio::awaitable<Outcome> backfill(BackfillRequest request) {
        return one_shot_.backfill(request);
    }

    /// Compares what is covered with the API's counts.
    boost::asio::awaitable<AuditReport> audit(AuditRequest request) {
        return one_shot_.audit(request);
    }

    /// Keeps the mirror up to date until cancelled.
    boost::asio::awaitable<void> run() { return follower_.run(); }

    /// Takes over `requests_per_second` of the settings that it was made with, which has changed.
    void use_rate() { context_.client.use_rate(); }

    /// A graceful stop: windows at work are finished or stored as far as their rows prove, then the
    /// command ends as if cancelled. Returns how long that may take at the most; zero: there is
    /// nothing to wait for, cancel it now.
    std::chrono::milliseconds finish_soon() {
        if (!context_.stop.anything_at_work()) {
            return std::chrono::milliseconds(0);
        }
        constexpr std::chrono::milliseconds grace(2000);
        context_.stop.request(context_.clock.monotonic() + grace);
        return grace;
    }

  private:
    RunContext context_;
    OneShot one_shot_;
    Follower follower_;
};

}  // namespace mirror::sync

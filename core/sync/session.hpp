// One run against one account, in one piece: what the daemon and the tests start.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "core/sync/audit.hpp"
#include "core/sync/follower.hpp"
#include "core/sync/one_shot.hpp"
#include "core/sync/outcome.hpp"
#include "core/sync/run_context.hpp"
#include "core/sync/shared_context.hpp"
#include "core/sync/statistics_audit.hpp"

namespace mirror::sync {

/// A stream that is to be mirrored. Both must outlive the session.
struct StreamToMirror {
    Store& store;
    const Settings& settings;
};

/// The result of a command for one stream.
template <typename Result>
struct StreamResult {
    const Stream* stream = nullptr;
    std::optional<Result> result;       ///< nothing: the API failed for this stream
    std::optional<std::string> failed;  ///< why, for people
};

/// Not reusable: one command, one session. Its calls throw what ends a run (copernica/errors.hpp,
/// sync/errors.hpp and the storage's errors), operation_aborted when cancelled; the run's row in
/// `runs` and the last error are written in every case, unless the file is another account's.
///
/// Commands that end by themselves do one stream after the other. A stream for which the API fails
/// does not hold up the others: its result then says why, unless all of them fail.
class Session {
  public:
    /// At least one. Request limits are those of the first one's settings.
    Session(const boost::asio::any_io_executor& executor, copernica::Api& api,
            const std::vector<StreamToMirror>& streams, Clock& clock, Observer& observer);

    /// Of one stream.
    Session(const boost::asio::any_io_executor& executor, copernica::Api& api, Store& store,
            Clock& clock, Observer& observer, const Settings& settings)
        : Session(executor, api, {StreamToMirror{store, settings}}, clock, observer) {}

    /// Brings everything since `settings.start` up to the server's settled now.
    boost::asio::awaitable<std::vector<StreamResult<Outcome>>> sync_all();

    /// Fetches what is missing of a period.
    boost::asio::awaitable<std::vector<StreamResult<Outcome>>> backfill_all(
        BackfillRequest request);

    /// Compares what is covered with the API's counts.
    boost::asio::awaitable<std::vector<StreamResult<AuditReport>>> audit_all(AuditRequest request);

    /// Compares what the API's statistics count of each mailing. One of the streams at least has
    /// a StatisticsForm.
    boost::asio::awaitable<StatisticsReport> audit_statistics(StatisticsRequest request);

    // The same of the first stream alone.
    boost::asio::awaitable<Outcome> sync() { return first().one_shot.sync(); }
    boost::asio::awaitable<Outcome> backfill(BackfillRequest request) {
        return first().one_shot.backfill(request);
    }
    boost::asio::awaitable<AuditReport> audit(AuditRequest request) {
        return first().one_shot.audit(request);
    }

    /// Keeps all streams up to date until cancelled.
    boost::asio::awaitable<void> run();

    /// Takes over `requests_per_second` of the settings that it was made with, which has changed.
    void use_rate() { shared_.access.use_rate(); }

    /// A graceful stop: windows at work are finished or stored as far as their rows prove, then the
    /// command ends as if cancelled. Returns how long that may take at the most; zero: there is
    /// nothing to wait for, cancel it now.
    std::chrono::milliseconds finish_soon();

  private:
    struct StreamRun {
        StreamRun(SharedContext& shared, const StreamToMirror& what)
            : context(shared, what.store, what.settings), one_shot(context), follower(context) {}

        RunContext context;
        OneShot one_shot;
        Follower follower;
    };

    template <typename Result>
    boost::asio::awaitable<std::vector<StreamResult<Result>>> one_by_one(
        std::function<boost::asio::awaitable<Result>(OneShot&)> work);

    StreamRun& first() { return *runs_.front(); }

    SharedContext shared_;
    std::vector<std::unique_ptr<StreamRun>> runs_;
};

}  // namespace mirror::sync

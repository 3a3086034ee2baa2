// The commands that end by themselves: `sync`, `backfill` and `audit`.
#pragma once

#include <optional>

#include <boost/asio/awaitable.hpp>

#include "core/plan/window_scheduler.hpp"
#include "core/sync/audit.hpp"
#include "core/sync/outcome.hpp"
#include "core/sync/preflight.hpp"
#include "core/sync/run_context.hpp"
#include "core/time/instant.hpp"

namespace mirror::sync {

/// A period in account-local time, as people give it.
struct BackfillRequest {
    LocalTime from{};
    std::optional<LocalTime> to;  ///< excluded; absent: now
    bool force = false;           ///< what is covered is fetched again, too
};

/// What an audit compares, in account-local time.
struct AuditRequest {
    std::optional<LocalTime> from;  ///< absent: the begin of what is covered
    std::optional<LocalTime> to;    ///< excluded; absent: the end of what is covered
    AuditOptions options;
    bool before_horizon = false;  ///< with prune: rows that have expired at the API, too
};

/// One command; not reusable. Whatever ends it, the run's row in `runs` and the last error are
/// written, unless the file is another account's.
class OneShot {
  public:
    explicit OneShot(RunContext& context) : context_(context), preflight_(context) {}

    boost::asio::awaitable<Outcome> sync();
    boost::asio::awaitable<Outcome> backfill(BackfillRequest request);
    boost::asio::awaitable<AuditReport> audit(AuditRequest request);

  private:
    boost::asio::awaitable<void> recorded(const char* kind, boost::asio::awaitable<void> work);
    boost::asio::awaitable<void> sync_now();
    boost::asio::awaitable<void> backfill_now(BackfillRequest request);
    boost::asio::awaitable<void> audit_now(AuditRequest request);
    boost::asio::awaitable<void> prune_before_horizon();

    void throw_if_held_back() const;
    boost::asio::awaitable<void> note_page_width(bool stopped);
    boost::asio::awaitable<void> expect_page_width();
    boost::asio::awaitable<plan::Direction> backfill_direction(const WindowSet& todo);

    RunContext& context_;
    Preflight preflight_;
    Outcome outcome_;
    AuditReport audit_;
};

}  // namespace mirror::sync

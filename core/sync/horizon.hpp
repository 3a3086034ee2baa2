// What the file knows of the horizon, and how the API is asked for it.
#pragma once

#include <optional>

#include <boost/asio/awaitable.hpp>

#include "core/plan/horizon.hpp"
#include "core/sync/horizon_facts.hpp"
#include "core/sync/run_context.hpp"
#include "core/sync/store.hpp"
#include "core/time/instant.hpp"
#include "core/time/window.hpp"

namespace mirror::sync {

boost::asio::awaitable<plan::Horizon> load_horizon(Store& store);

/// The file's newest row before `before`, unless it may have expired.
boost::asio::awaitable<std::optional<NewestRows>> newest_shown(RunContext& context,
                                                               LocalTime before);

/// Without what may have expired.
boost::asio::awaitable<void> leave_out_expired(RunContext& context, WindowSet& windows);

/// Where the API's rows begin.
struct HorizonSearch {
    bool known = false;                  ///< false: the API does not say
    std::optional<Instant> first_shown;  ///< nothing: it shows the file's oldest row
};

/// Asks the API where its rows begin, if it does not show the file's oldest ones any more. What it
/// finds is no proof yet. Costs one request if nothing has expired, about eight if the oldest rows
/// have, and some forty if rows are missing elsewhere, too.
class HorizonSeeker {
  public:
    explicit HorizonSeeker(RunContext& context) : context_(context) {}

    boost::asio::awaitable<HorizonSearch> seek(Instant begin);

    /// Whether the oldest rows of these windows may have expired: the API does not show the first
    /// of them that is old enough.
    boost::asio::awaitable<bool> may_have_expired(const WindowSet& windows);

    /// Nothing later can have expired.
    Instant old_enough() const;

  private:
    boost::asio::awaitable<bool> shows_row_at(LocalTime time);
    boost::asio::awaitable<std::optional<bool>> shows_any(Instant begin, Instant end);
    boost::asio::awaitable<std::optional<Instant>> bisect(Window window);

    RunContext& context_;
};

/// Without what may have expired since the last count: if the API does not show the oldest row
/// there, a count is asked for (AdaptiveState::expiry_suspected), and nothing that is old enough to
/// have expired is read before it.
boost::asio::awaitable<void> leave_out_suspected(RunContext& context, WindowSet& windows);

/// Takes note of a count that agreed: from `first_shown` on if the API showed nothing before it.
/// Writes the file's horizon, and says so if it moved.
boost::asio::awaitable<void> note_horizon(RunContext& context, plan::Horizon known,
                                          std::optional<Instant> first_shown,
                                          std::optional<Instant> last_count);

}  // namespace mirror::sync

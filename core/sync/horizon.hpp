// What the file knows of the horizon, and what follows from it.
#pragma once

#include <optional>

#include <boost/asio/awaitable.hpp>

#include "core/plan/horizon.hpp"
#include "core/sync/run_context.hpp"
#include "core/sync/store.hpp"
#include "core/time/instant.hpp"
#include "core/time/window.hpp"

namespace mirror::sync {

boost::asio::awaitable<plan::Horizon> load_horizon(Store& store);

/// Learns up to when everything was erased (RunContext::erased_before), for what is planned next.
/// What is stored does not depend on it.
boost::asio::awaitable<void> learn_erased_before(RunContext& context);

/// What is before this moment may have expired (see plan::first_shown()), or was erased.
boost::asio::awaitable<std::optional<Instant>> first_shown(RunContext& context);

/// Nothing from this moment on can have expired.
Instant old_enough(const RunContext& context);

/// The file's newest row before `before`, unless it may have expired.
boost::asio::awaitable<std::optional<NewestRows>> newest_shown(RunContext& context,
                                                               LocalTime before);

/// Without what may have expired.
boost::asio::awaitable<void> leave_out_expired(RunContext& context, WindowSet& windows);

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

// Reads everything again, a little each day, last in line for requests (plan::next_sweep()).
#pragma once

#include <optional>

#include <boost/asio/awaitable.hpp>

#include "core/sync/outcome.hpp"
#include "core/sync/run_context.hpp"
#include "core/time/clock.hpp"

namespace mirror::sync {

/// Reads what is due of the sweep, if anything is. No window is begun after `stop_after`, and what
/// is left then is read next time. `postponed` is left out. Throws what ends a run.
boost::asio::awaitable<void> sweep(RunContext& context, std::optional<Monotonic> stop_after,
                                   const WindowSet& postponed, Outcome& outcome);

}  // namespace mirror::sync

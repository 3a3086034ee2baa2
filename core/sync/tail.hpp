// Moves the high-water mark to now, and reads again what is due for a recheck.
#pragma once

#include <optional>

#include <boost/asio/awaitable.hpp>

#include "core/sync/outcome.hpp"
#include "core/sync/run_context.hpp"
#include "core/time/clock.hpp"

namespace mirror::sync {

/// Reads the newest period and whatever else is missing of `wanted`. What is read again for the
/// tail's sake does not begin before `earliest`. `postponed` is left alone.
boost::asio::awaitable<void> catch_up(RunContext& context, Window wanted, Instant earliest,
                                      const WindowSet& postponed, Outcome& outcome);

/// Reads again what is covered and due for a recheck, as the mirror follows the account since
/// `since`. `postponed` is left alone.
boost::asio::awaitable<void> recheck(RunContext& context, Instant since,
                                     std::optional<Monotonic> stop_after,
                                     const WindowSet& postponed, Outcome& outcome);

}  // namespace mirror::sync

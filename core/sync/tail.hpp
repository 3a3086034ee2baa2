// Moves the high-water mark to now, and reads again what is due for a recheck.
#pragma once

#include <optional>

#include <boost/asio/awaitable.hpp>

#include "core/sync/outcome.hpp"
#include "core/sync/run_context.hpp"
#include "core/time/clock.hpp"

namespace mirror::sync {

/// `run` begins an empty file with this much, so that there is something to see before the past is
/// filled.
inline constexpr Seconds first_tail{3600};

/// Reads the newest period and whatever else is missing of `wanted`. What is read again for the
/// tail's sake does not begin before `earliest`, and goes back by `reach` if that is covered.
/// `postponed` is left alone.
boost::asio::awaitable<void> catch_up(RunContext& context, Window wanted, Instant earliest,
                                      const WindowSet& postponed, Outcome& outcome,
                                      copernica::Lane lane = copernica::Lane::backlog,
                                      Seconds reach = Seconds(0));

/// The moment from which on everything is the tail's, from now on: catch_up() reads nothing before
/// it but what is missing of its `wanted`.
boost::asio::awaitable<Instant> tail_begin(RunContext& context, Window wanted);

/// Reads again what is covered and due for a recheck, as the mirror follows the account since
/// `since`, and the periods in which a mass of rows was missing an hour ago. `postponed` is left
/// alone.
boost::asio::awaitable<void> recheck(RunContext& context, Instant since,
                                     std::optional<Monotonic> stop_after,
                                     const WindowSet& postponed, Outcome& outcome);

}  // namespace mirror::sync

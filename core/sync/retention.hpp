// What is kept no longer: rows of some age, and of other rows addresses and user agents.
#pragma once

#include <optional>

#include <boost/asio/awaitable.hpp>

#include "core/sync/run_context.hpp"

namespace mirror::sync {

/// A portion at a time, up to `stop_after`; nothing to do on most days but at their first hour. By
/// the server's clock: this machine's may be wrong.
boost::asio::awaitable<void> erase_old(RunContext& context, std::optional<Monotonic> stop_after);

/// Cuts what the file has to what is kept of addresses and user agents, a portion at least: up to
/// `stop_after`, or to the end.
boost::asio::awaitable<void> cut_kept(RunContext& context, std::optional<Monotonic> stop_after);

}  // namespace mirror::sync

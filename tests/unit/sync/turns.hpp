// Turns of the loop, and how a clock that tests own learns that somebody works in them.
#pragma once

#include <cstdint>

#include <boost/asio/awaitable.hpp>

namespace mirror::tests {

/// Steps of coroutines that work, so that no time passes meanwhile.
std::uint64_t steps_done();
void count_step();

/// Lets the other coroutines run; throws when the caller was cancelled meanwhile.
boost::asio::awaitable<void> yield();

/// A step, as yield(), for what is never cancelled.
boost::asio::awaitable<void> yield_always();

}  // namespace mirror::tests

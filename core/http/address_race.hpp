// A socket to the first address that answers.
#pragma once

#include <chrono>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "core/http/timeouts.hpp"

namespace mirror::http {

/// Tries the addresses in this order, the next one beside those under way when it has waited for
/// `timeouts.next_address`, or when one has failed. Throws std::runtime_error, which says why the
/// last one failed, or boost::system::system_error (operation_aborted) when the calling coroutine
/// is cancelled.
boost::asio::awaitable<boost::asio::ip::tcp::socket> connect_first(
    std::vector<boost::asio::ip::tcp::endpoint> addresses, Timeouts timeouts,
    std::chrono::steady_clock::time_point deadline);

}  // namespace mirror::http

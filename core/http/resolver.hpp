// From a host's name to its addresses, with an end to the waiting.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace mirror::http {

/// Asks the system's resolver. Throws boost::system::system_error: its error, timed_out at the
/// deadline, operation_aborted when cancelled.
///
/// The system's call cannot be ended, and Asio's resolver waits for it whatever happens. Here it
/// runs on a thread of its own that is left to itself when nobody wants the answer any more.
boost::asio::awaitable<std::vector<boost::asio::ip::tcp::endpoint>> resolve(
    std::string host, std::uint16_t port, std::chrono::steady_clock::time_point deadline);

}  // namespace mirror::http

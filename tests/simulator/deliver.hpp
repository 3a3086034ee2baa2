// The last step of a reply: its bytes on the connection, and what becomes of the connection.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>

#include <boost/asio/awaitable.hpp>

#include "tests/simulator/fault.hpp"
#include "tests/simulator/stream.hpp"
#include "tests/simulator/wire.hpp"

namespace simulator {

/// All that is decided about one reply before the first byte of it is sent.
struct Exchange {
    Wire wire;
    std::optional<VerbatimReply> raw;  ///< in place of wire
    Delivery delivery = Delivery::whole;
    std::chrono::nanoseconds wait{0};  ///< before it is delivered
};

/// False if the connection has come to its end. `sent` is told how many bytes went out whole.
boost::asio::awaitable<bool> deliver(Stream& stream, const Exchange& exchange,
                                     const std::function<void(std::size_t)>& sent);

}  // namespace simulator

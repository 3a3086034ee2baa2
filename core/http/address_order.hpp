// In which order the addresses of a host are tried, and when the next one's turn is (RFC 8305).
// Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace mirror::http {

/// The families take turns, beginning with that of the first. The address that was good last, if
/// it is one of them, is the first.
std::vector<boost::asio::ip::tcp::endpoint> in_order(
    const std::vector<boost::asio::ip::tcp::endpoint>& resolved,
    const std::optional<boost::asio::ip::address>& last_good);

/// How a race between addresses stands.
struct RaceState {
    std::size_t running = 0;  ///< attempts without a result
    std::size_t left = 0;     ///< addresses that were not tried yet
    std::chrono::steady_clock::time_point last_start{};
};

/// When the next address is tried: at once if nothing runs, else `delay` after the one before.
/// Nothing: there is none left.
std::optional<std::chrono::steady_clock::time_point> next_start(
    const RaceState& race, std::chrono::steady_clock::time_point now,
    std::chrono::milliseconds delay);

}  // namespace mirror::http

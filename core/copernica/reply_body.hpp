// The bodies of replies, as they are and as gzip.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "core/copernica/api.hpp"
#include "core/http/body_sink.hpp"
#include "core/http/connection.hpp"
#include "core/time/clock.hpp"

namespace mirror::copernica {

/// Of an identity, a token or an error.
inline constexpr std::size_t small_body_limit = std::size_t{64} << 10;

/// The header of a reply, and the connection that its body comes on.
struct Answer {
    std::unique_ptr<http::Connection> connection;
    http::ReplyHeader header;
    Monotonic begun{};      ///< when its request went out
    std::size_t bytes = 0;  ///< of the body, unpacked
};

/// Reads it into the sink, at most `limit` bytes of it, before and after it is unpacked. False if
/// its Content-Encoding is not known. Throws http::BadBody or http::ConnectionError.
boost::asio::awaitable<bool> read_body(Answer& answer, http::BodySink& sink, std::size_t limit);

/// The body of another status than 200, as far as it can be had: the status is what matters. The
/// connection stays in the answer if it can be used again.
boost::asio::awaitable<std::string> read_error(Answer& answer);

/// A line of the debug log: how a request ended, and after how long. `what` is "GET /v3/identity".
std::string request_line(const std::string& what, const std::string& result,
                         std::chrono::nanoseconds took);

/// The reply's `Date`, if it has a readable one.
std::optional<Instant> date_of(const http::ReplyHeader& header);

/// Seconds to wait, by the server's own clock if it shows one.
std::optional<Seconds> retry_after_of(const http::ReplyHeader& header);

}  // namespace mirror::copernica

// One HTTP/1.1 connection, over any transport. Only its source file knows Beast, only those of the
// transport and of the TLS context know OpenSSL.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "core/http/body_sink.hpp"
#include "core/http/connection_error.hpp"
#include "core/http/request.hpp"
#include "core/http/route.hpp"

namespace mirror::http {

/// The header of a reply, as far as it matters. Fields are as the server wrote them.
struct ReplyHeader {
    int status = 0;
    bool has_length = true;  ///< false: truncation could not be detected
    std::optional<std::string> date;
    std::optional<std::string> location;
    std::optional<std::string> retry_after;
    std::optional<std::string> content_encoding;
    std::optional<std::string> content_type;
};

/// All calls throw ConnectionError, or boost::system::system_error (operation_aborted) when the
/// calling coroutine is cancelled; after either the connection is of no use.
class Connection {
  public:
    /// Resolves, connects, and shakes hands. Of several addresses, the first that answers.
    static boost::asio::awaitable<std::unique_ptr<Connection>> open(Route route);

    virtual ~Connection() = default;

    /// Sends it and reads the header of its reply.
    virtual boost::asio::awaitable<ReplyHeader> ask(Request request) = 0;

    /// Reads the body into the sink, at most `limit` bytes of it with the frames of its chunks, and
    /// finishes the sink if the body was complete by its length or its last chunk. What the sink
    /// throws comes through.
    virtual boost::asio::awaitable<void> read_body(BodySink& sink, std::size_t limit) = 0;

    /// True if another request may follow on this connection.
    virtual bool is_reusable() const = 0;

    /// Begins a rest: a connection that rests too long closes itself.
    virtual void rest() = 0;

    /// Ends it. False if the connection was closed meanwhile, by either side, or if
    /// something came that nobody asked for.
    virtual bool wake() = 0;
};

}  // namespace mirror::http

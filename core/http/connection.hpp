// One HTTP/1.1 connection, plain or over TLS. The one place that knows Beast and OpenSSL.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "core/http/body_sink.hpp"
#include "core/http/url.hpp"

namespace mirror::http {

/// How long things may take.
struct Timeouts {
    std::chrono::milliseconds address = std::chrono::seconds(3);   ///< to connect to one address
    std::chrono::milliseconds connect = std::chrono::seconds(10);  ///< resolving to TLS, in all
    std::chrono::milliseconds silence = std::chrono::seconds(30);  ///< without a byte
    std::chrono::milliseconds request = std::chrono::minutes(5);   ///< from request to last byte
    std::chrono::milliseconds rest = std::chrono::seconds(5);      ///< unused, until we close it
};

/// A connection that failed. what() says why, in one line; it names no host.
class ConnectionError : public std::runtime_error {
  public:
    enum class Kind {
        trouble,      ///< of the network, the server, or what it speaks: another try may do
        certificate,  ///< the server is not who it should be; nothing was sent to it
        gone,         ///< closed by the other side before the first byte of a reply
        too_large,    ///< the body
    };
    /// How far it had come.
    enum class Stage { resolve, connect, tls, request };
    ConnectionError(Kind kind, const std::string& message, Stage stage = Stage::request)
        : std::runtime_error(message), kind_(kind), stage_(stage) {}
    Kind kind() const { return kind_; }
    Stage stage() const { return stage_; }

  private:
    Kind kind_;
    Stage stage_;
};

/// What is needed for TLS: whom to trust. Shared by all connections.
class TlsTrust;

/// The system's CAs, or those of a PEM file. Throws std::runtime_error, which names the file,
/// where they cannot be read.
std::shared_ptr<TlsTrust> load_trust(const std::string& ca_file);

/// The header of a reply, as far as it matters. Fields are as the server wrote them.
struct ReplyHeader {
    int status = 0;
    bool has_length = true;  ///< false: the body ends with the connection, so that a cut is no cut
    std::optional<std::string> date;
    std::optional<std::string> location;
    std::optional<std::string> retry_after;
    std::optional<std::string> content_encoding;
};

/// All calls throw ConnectionError, or boost::system::system_error (operation_aborted) when the
/// calling coroutine is cancelled; after either the connection is of no use.
class Connection {
  public:
    /// Resolves, connects, and shakes hands. Of several addresses, the first that answers.
    static boost::asio::awaitable<std::unique_ptr<Connection>> open(BaseUrl url,
                                                                    std::shared_ptr<TlsTrust> trust,
                                                                    Timeouts timeouts);

    virtual ~Connection() = default;

    /// Sends a GET and reads the header of its reply. `target` is path and query, `agent` names
    /// this program.
    virtual boost::asio::awaitable<ReplyHeader> ask(std::string target, std::string agent) = 0;

    /// Reads the body into the sink, at most `limit` bytes of it with the frames of its chunks, and
    /// finishes the sink if the body was complete by its length or its last chunk. What the sink
    /// throws comes through.
    virtual boost::asio::awaitable<void> read_body(BodySink& sink, std::size_t limit) = 0;

    /// True where another request may follow on this connection.
    virtual bool is_reusable() const = 0;

    /// Begins a rest: a connection that rests too long closes itself.
    virtual void rest() = 0;

    /// Ends it. False where the connection was closed meanwhile, by either side, or where
    /// something came that nobody asked for.
    virtual bool wake() = 0;
};

}  // namespace mirror::http

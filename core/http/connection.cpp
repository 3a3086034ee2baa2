#include "core/http/connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "core/http/resolver.hpp"
#include "core/util/deadline.hpp"

namespace mirror::http {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using boost::system::system_error;
using Time = std::chrono::steady_clock::time_point;
using Kind = ConnectionError::Kind;
using Stage = ConnectionError::Stage;

constexpr std::size_t header_limit = std::size_t{64} << 10;
constexpr std::size_t piece_size = std::size_t{64} << 10;

Time now() {
    return std::chrono::steady_clock::now();
}

}  // namespace

class TlsTrust {
  public:
    TlsTrust() : context(ssl::context::tls_client) {}
    ssl::context context;
};

std::shared_ptr<TlsTrust> load_trust(const std::string& ca_file) {
    auto trust = std::make_shared<TlsTrust>();
    SSL_CTX* const native = trust->context.native_handle();
    error_code error;
    if (ca_file.empty()) {
        trust->context.set_default_verify_paths(error);
    } else {
        trust->context.load_verify_file(ca_file, error);
    }
    if (error) {
        throw std::runtime_error((ca_file.empty() ? "the system's CA certificates" : ca_file) +
                                 ": cannot be read as PEM certificates: " + error.message());
    }
    // Not left to the system's configuration, which may be laxer.
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_security_level(native, 2);
    SSL_CTX_set_cipher_list(native, "HIGH:!aNULL:!eNULL:!3DES:!RC4:!MD5:!PSK:!SRP");
    SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_verify(native, SSL_VERIFY_PEER, nullptr);
    return trust;
}

namespace {

// Bytes to and from a connected peer. The functions complete with an error, they do not throw
// one.
class Transport {
  public:
    using Result = std::tuple<error_code, std::size_t>;
    virtual ~Transport() = default;
    virtual tcp::socket& socket() = 0;
    virtual asio::awaitable<Result> read_some(asio::mutable_buffer buffer) = 0;
    virtual asio::awaitable<Result> write(asio::const_buffer buffer) = 0;
    /// Bytes that were received and not read yet.
    virtual bool holds_bytes() const { return false; }
};

class PlainTransport final : public Transport {
  public:
    explicit PlainTransport(tcp::socket socket) : socket_(std::move(socket)) {}
    tcp::socket& socket() override { return socket_; }
    asio::awaitable<Result> read_some(asio::mutable_buffer buffer) override {
        co_return co_await socket_.async_read_some(buffer, asio::as_tuple(asio::use_awaitable));
    }
    asio::awaitable<Result> write(asio::const_buffer buffer) override {
        co_return co_await asio::async_write(socket_, buffer, asio::as_tuple(asio::use_awaitable));
    }

  private:
    tcp::socket socket_;
};

class TlsTransport final : public Transport {
  public:
    TlsTransport(tcp::socket socket, std::shared_ptr<TlsTrust> trust)
        : trust_(std::move(trust)), stream_(std::move(socket), trust_->context) {}
    tcp::socket& socket() override { return stream_.next_layer(); }
    bool holds_bytes() const override {
        SSL* const native = const_cast<Stream&>(stream_).native_handle();
        return SSL_has_pending(native) != 0 || BIO_pending(SSL_get_rbio(native)) > 0;
    }

    asio::awaitable<error_code> handshake(const BaseUrl& url) {
        SSL* const native = stream_.native_handle();
        // OpenSSL checks the name itself, so that its verdict says what was wrong with it.
        bool ready = true;
        if (url.host_is_address) {
            ready = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(native), url.host.c_str()) == 1;
        } else {
            // The names of a certificate are in subjectAltName, not in its subject (RFC 9525).
            SSL_set_hostflags(
                native, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
            ready = SSL_set1_host(native, url.host.c_str()) == 1 &&
                    SSL_set_tlsext_host_name(native, url.host.c_str()) == 1;
        }
        if (!ready) {
            throw ConnectionError(Kind::trouble, "the TLS connection cannot be set up", Stage::tls);
        }
        const auto [error] = co_await stream_.async_handshake(ssl::stream_base::client,
                                                              asio::as_tuple(asio::use_awaitable));
        co_return error;
    }

    /// Null where nothing is wrong with the certificate, or where none was seen.
    const char* what_is_wrong_with_the_certificate() {
        const long verdict = SSL_get_verify_result(stream_.native_handle());
        return verdict == X509_V_OK ? nullptr : X509_verify_cert_error_string(verdict);
    }

    asio::awaitable<Result> read_some(asio::mutable_buffer buffer) override {
        co_return co_await stream_.async_read_some(buffer, asio::as_tuple(asio::use_awaitable));
    }
    asio::awaitable<Result> write(asio::const_buffer buffer) override {
        co_return co_await asio::async_write(stream_, buffer, asio::as_tuple(asio::use_awaitable));
    }

  private:
    using Stream = ssl::stream<tcp::socket>;
    std::shared_ptr<TlsTrust> trust_;
    Stream stream_;
};

std::string text_of(const error_code& error) {
    if (error == ssl::error::stream_truncated) {
        return "TLS connection cut off";
    }
    if (error == asio::error::eof) {
        return "connection closed by the server";
    }
    return error.message();
}

class HttpConnection final : public Connection {
  public:
    HttpConnection(asio::any_io_executor executor, std::unique_ptr<Transport> transport,
                   BaseUrl url, Timeouts timeouts)
        : url_(std::move(url)),
          timeouts_(timeouts),
          transport_(std::move(transport)),
          deadline_timer_(std::move(executor), [this] { close(); }) {}

    asio::awaitable<ReplyHeader> ask(std::string target, std::string agent) override;
    asio::awaitable<void> read_body(BodySink& sink, std::size_t limit) override;

    bool is_reusable() const override { return reusable_; }

    void rest() override { deadline_timer_.expires_at(now() + timeouts_.rest); }

    bool wake() override {
        tcp::socket& socket = transport_->socket();
        if (deadline_timer_.expired() || !socket.is_open() || transport_->holds_bytes()) {
            return false;
        }
        deadline_timer_.off();
        char byte = 0;
        const ssize_t result = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        return result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }

  private:
    using Parser = http::response_parser<http::buffer_body>;

    void close() {
        error_code ignored;
        transport_->socket().close(ignored);
    }

    // Time for the next step: never longer than what is left for the request.
    void allow_silence() {
        deadline_timer_.expires_at(std::min(deadline_, now() + timeouts_.silence));
    }

    [[noreturn]] void fail(const error_code& error, const char* during, Kind kind) const;
    asio::awaitable<void> receive(const char* during);
    void note_end();

    BaseUrl url_;
    Timeouts timeouts_;
    std::unique_ptr<Transport> transport_;
    Deadline deadline_timer_;
    Time deadline_{};
    boost::beast::flat_buffer received_;  // and not parsed yet
    std::optional<Parser> parser_;
    bool reusable_ = false;
    bool reply_begun_ = false;
    std::vector<char> piece_ = std::vector<char>(piece_size);
};

// Throws what an error means. A cancelled coroutine and a socket closed by the deadline_timer look
// the same to Asio.
void HttpConnection::fail(const error_code& error, const char* during, Kind kind) const {
    if (deadline_timer_.expired()) {
        throw ConnectionError(Kind::trouble,
                              now() >= deadline_
                                  ? "the request took too long"
                                  : std::string("no byte for too long while ") + during);
    }
    if (error == asio::error::operation_aborted) {
        throw system_error(error);
    }
    throw ConnectionError(kind, text_of(error) + " while " + during);
}

// Appends to received_; throws where nothing comes.
asio::awaitable<void> HttpConnection::receive(const char* during) {
    allow_silence();
    const auto buffer = received_.prepare(piece_size);
    const auto [error, bytes] = co_await transport_->read_some(buffer);
    received_.commit(bytes);
    if (bytes == 0 && error) {
        fail(error, during, reply_begun_ ? Kind::trouble : Kind::gone);
    }
    reply_begun_ = true;
}

// The status and the fields that matter; throws where the reply is not HTTP.
asio::awaitable<ReplyHeader> HttpConnection::ask(std::string target, std::string agent) {
    reusable_ = false;
    reply_begun_ = false;
    deadline_ = now() + timeouts_.request;
    parser_.emplace();
    parser_->header_limit(header_limit);
    parser_->body_limit(boost::none);  // ours is on what arrives, see read_body()

    std::string request = "GET " + target + " HTTP/1.1\r\nHost: " + url_.authority() +
                          "\r\nUser-Agent: " + agent +
                          "\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\n\r\n";
    allow_silence();
    const auto [write_error, written] = co_await transport_->write(asio::buffer(request));
    if (write_error) {
        fail(write_error, "sending the request", Kind::gone);
    }
    std::size_t parsed = 0;
    while (!parser_->is_header_done()) {
        co_await receive("waiting for a reply");
        error_code error;
        const std::size_t line = parser_->put(received_.data(), error);
        received_.consume(line);
        parsed += line;
        // Beast's own limit is on what it has not parsed yet.
        if (error == http::error::header_limit || parsed > header_limit) {
            throw ConnectionError(Kind::trouble, "the header of the reply is too large");
        }
        if (error && error != http::error::need_more && error != http::error::need_buffer) {
            throw ConnectionError(Kind::trouble, "the reply is not HTTP (" + error.message() + ")");
        }
    }
    const auto& message = parser_->get();
    if (message.result_int() < 200) {
        throw ConnectionError(Kind::trouble, "an interim reply came that nobody asked for");
    }
    const auto field = [&message](http::field name) -> std::optional<std::string> {
        const auto found = message.find(name);
        if (found == message.end()) {
            return std::nullopt;
        }
        return std::string(found->value());
    };
    ReplyHeader header;
    header.status = static_cast<int>(message.result_int());
    header.has_length = !parser_->need_eof();
    header.date = field(http::field::date);
    header.location = field(http::field::location);
    header.retry_after = field(http::field::retry_after);
    header.content_encoding = field(http::field::content_encoding);
    note_end();
    co_return header;
}

// Beyond its end, nothing may have come: it would be taken for the next reply.
void HttpConnection::note_end() {
    if (parser_->is_done()) {
        reusable_ = parser_->keep_alive() && received_.size() == 0;
        deadline_timer_.off();
    }
}

asio::awaitable<void> HttpConnection::read_body(BodySink& sink, std::size_t limit) {
    constexpr const char* during = "reading the reply";
    // Chunks have a frame, which has no limit of its own in Beast: neither one frame, nor all of
    // them. Chunks of a byte are six bytes each, and take their time.
    constexpr std::size_t frame_limit = std::size_t{64} << 10;
    std::size_t left = limit;  // frames included
    while (!parser_->is_done()) {
        auto& body = parser_->get().body();
        body.data = piece_.data();
        body.size = piece_.size();
        error_code error;
        std::size_t parsed = 0;
        if (received_.size() > 0) {
            parsed = parser_->put(received_.data(), error);
            received_.consume(parsed);
        }
        if (error && error != http::error::need_more && error != http::error::need_buffer) {
            throw ConnectionError(Kind::trouble, "the reply is not HTTP (" + error.message() + ")");
        }
        if (parsed > left) {
            throw ConnectionError(Kind::too_large, "the body of the reply is too large");
        }
        left -= parsed;
        const std::size_t produced = piece_.size() - body.size;
        if (produced > 0) {
            sink.feed({piece_.data(), produced});
        }
        if (parsed > 0 || parser_->is_done()) {
            continue;
        }
        if (received_.size() > frame_limit) {
            throw ConnectionError(Kind::trouble, "the frame of a chunk is too large");
        }
        co_await receive(during);
    }
    sink.finish();
    note_end();
}

// Connects a socket to the first address that answers.
asio::awaitable<tcp::socket> connect(const BaseUrl& url, const Timeouts& timeouts, Time deadline) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    std::vector<tcp::endpoint> endpoints;
    error_code failure;
    try {
        endpoints = co_await resolve(url.host, url.port, deadline);
    } catch (const system_error& error) {
        failure = error.code();
    }
    if (failure == asio::error::operation_aborted) {
        throw system_error(failure);
    }
    if (failure) {
        throw ConnectionError(Kind::trouble, "host name not resolved: " + failure.message(),
                              Stage::resolve);
    }
    std::string why;
    for (const tcp::endpoint& endpoint : endpoints) {
        if (!url.tls && !endpoint.address().is_loopback()) {
            why = "plain HTTP is only for this machine";
            continue;
        }
        tcp::socket socket(executor);
        Deadline deadline_timer(executor, [&socket] {
            error_code ignored;
            socket.close(ignored);
        });
        deadline_timer.expires_at(std::min(deadline, now() + timeouts.address));
        const auto [error] =
            co_await socket.async_connect(endpoint, asio::as_tuple(asio::use_awaitable));
        if (deadline_timer.expired()) {
            why = "no answer to the connection";
            if (now() >= deadline) {
                break;
            }
        } else if (error == asio::error::operation_aborted) {
            throw system_error(error);
        } else if (error) {
            why = error.message();
        } else {
            deadline_timer.off();
            error_code ignored;
            socket.set_option(tcp::no_delay(true), ignored);
            co_return std::move(socket);
        }
    }
    throw ConnectionError(Kind::trouble, "not connected: " + why, Stage::connect);
}

}  // namespace

asio::awaitable<std::unique_ptr<Connection>> Connection::open(BaseUrl url,
                                                              std::shared_ptr<TlsTrust> trust,
                                                              Timeouts timeouts) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const Time deadline = now() + timeouts.connect;
    tcp::socket socket = co_await connect(url, timeouts, deadline);
    if (!url.tls) {
        co_return std::make_unique<HttpConnection>(
            executor, std::make_unique<PlainTransport>(std::move(socket)), url, timeouts);
    }
    auto transport = std::make_unique<TlsTransport>(std::move(socket), std::move(trust));
    TlsTransport* const tls = transport.get();
    Deadline deadline_timer(executor, [tls] {
        error_code ignored;
        tls->socket().close(ignored);
    });
    deadline_timer.expires_at(deadline);
    const error_code error = co_await tls->handshake(url);
    deadline_timer.off();
    if (deadline_timer.expired()) {
        throw ConnectionError(Kind::trouble, "no answer to the TLS handshake", Stage::tls);
    }
    // The verdict is asked first: with a refused certificate, it says more than the error.
    if (const char* const wrong = error ? tls->what_is_wrong_with_the_certificate() : nullptr) {
        throw ConnectionError(Kind::certificate, wrong, Stage::tls);
    }
    if (error == asio::error::operation_aborted) {
        throw system_error(error);
    }
    if (error) {
        throw ConnectionError(Kind::trouble, "TLS handshake failed: " + text_of(error), Stage::tls);
    }
    co_return std::make_unique<HttpConnection>(executor, std::move(transport), std::move(url),
                                               timeouts);
}

}  // namespace mirror::http

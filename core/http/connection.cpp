#include "core/http/connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/system/system_error.hpp>

#include "core/http/connector.hpp"
#include "core/http/transport.hpp"
#include "core/util/deadline.hpp"

namespace mirror::http {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using boost::system::system_error;

namespace {

using Time = std::chrono::steady_clock::time_point;
using Kind = ConnectionError::Kind;

constexpr std::size_t header_limit = std::size_t{64} << 10;
constexpr int most_interim = 5;
constexpr std::size_t piece_size = std::size_t{64} << 10;

Time now() {
    return std::chrono::steady_clock::now();
}

class HttpConnection final : public Connection {
  public:
    HttpConnection(asio::any_io_executor executor, std::unique_ptr<Transport> transport,
                   BaseUrl url, Timeouts timeouts)
        : url_(std::move(url)),
          timeouts_(timeouts),
          transport_(std::move(transport)),
          deadline_timer_(std::move(executor), [this] { close(); }) {}

    asio::awaitable<ReplyHeader> ask(Request request) override;
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
    asio::awaitable<void> read_header();
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

// Appends to received_; throws if nothing comes.
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

// The status and the fields that matter; throws if the reply is not HTTP.
asio::awaitable<ReplyHeader> HttpConnection::ask(Request request) {
    reusable_ = false;
    reply_begun_ = false;
    deadline_ = now() + timeouts_.request;
    const std::string text = request_text(request, url_.authority());
    allow_silence();
    const auto [write_error, written] = co_await transport_->write(asio::buffer(text));
    if (write_error) {
        fail(write_error, "sending the request", Kind::gone);
    }
    // A server may send interim replies that nobody asked for (RFC 9110, 15.2).
    int interim = 0;
    do {
        co_await read_header();
        if (parser_->get().result() == http::status::switching_protocols ||
            interim++ > most_interim) {
            throw ConnectionError(Kind::trouble, "an interim reply came that nobody asked for");
        }
    } while (parser_->get().result_int() < 200);
    const auto& message = parser_->get();
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
    header.content_type = field(http::field::content_type);
    note_end();
    co_return header;
}

// Into a parser of its own.
asio::awaitable<void> HttpConnection::read_header() {
    parser_.emplace();
    parser_->header_limit(header_limit);
    parser_->body_limit(boost::none);  // ours is on what arrives, see read_body()
    std::size_t parsed = 0;
    bool more_is_there = received_.size() > 0;  // behind an interim reply
    while (!parser_->is_header_done()) {
        if (!std::exchange(more_is_there, false)) {
            co_await receive("waiting for a reply");
        }
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

}  // namespace

asio::awaitable<std::unique_ptr<Connection>> Connection::open(Route route) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    BaseUrl url = route.url;
    const Timeouts timeouts = route.timeouts;
    std::unique_ptr<Transport> transport = co_await connect(std::move(route));
    co_return std::make_unique<HttpConnection>(executor, std::move(transport), std::move(url),
                                               timeouts);
}

}  // namespace mirror::http

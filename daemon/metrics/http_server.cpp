// All of Beast that the daemon needs is in this file: it takes long to compile.
#include "daemon/metrics/http_server.hpp"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>

namespace mirror::daemon {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

// For example if no descriptor is free.
constexpr std::chrono::seconds pause_after_failed_accept(1);

// A client may have sent more than its header. So much of it is read, so that it gets our reply.
constexpr std::size_t most_drained = 65'536;

tcp::endpoint endpoint_of(const ListenAddress& where) {
    return {asio::ip::make_address(where.address), where.port};
}

// For a request that could not be read; 0 if the client has gone.
unsigned status_for(const beast::error_code& unread) {
    if (unread == http::error::header_limit) {
        return 431;
    }
    const bool of_http =
        unread.category() == http::make_error_code(http::error::end_of_stream).category();
    const bool gone =
        unread == http::error::end_of_stream || unread == http::error::partial_message;
    return of_http && !gone ? 400 : 0;
}

}  // namespace

// A connection, known to the server for as long as it is served.
class HttpServer::Client {
  public:
    Client(HttpServer& server, tcp::socket socket) : stream(std::move(socket)), server_(server) {
        server_.clients_.push_back(this);
    }
    ~Client() { server_.clients_.remove(this); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    beast::tcp_stream stream;

  private:
    HttpServer& server_;
};

HttpServer::HttpServer(const asio::any_io_executor& executor, const ListenAddress& where,
                       Answers answers, HttpLimits limits)
    : acceptor_(executor, endpoint_of(where)), answers_(std::move(answers)), limits_(limits) {
    asio::co_spawn(executor, accept(), asio::detached);
}

std::string HttpServer::where() const {
    const tcp::endpoint local = acceptor_.local_endpoint();
    const std::string address = local.address().to_string();
    return local.address().is_v6() ? fmt::format("[{}]:{}", address, local.port())
                                   : fmt::format("{}:{}", address, local.port());
}

void HttpServer::close() {
    acceptor_.close();
    for (Client* const client : clients_) {
        client->stream.close();
    }
}

asio::awaitable<void> HttpServer::accept() {
    while (acceptor_.is_open()) {
        auto [error, socket] = co_await acceptor_.async_accept(no_throw);
        if (!acceptor_.is_open()) {
            co_return;
        }
        if (error) {
            asio::steady_timer pause(acceptor_.get_executor(), pause_after_failed_accept);
            co_await pause.async_wait(no_throw);
            continue;
        }
        if (clients_.size() >= limits_.connections) {
            clients_.front()->stream.close();
        }
        asio::co_spawn(acceptor_.get_executor(), serve(std::move(socket)), asio::detached);
    }
}

// Errors of the connection end it, and no other.
asio::awaitable<void> HttpServer::serve(tcp::socket socket) {
    Client client(*this, std::move(socket));
    beast::tcp_stream& stream = client.stream;
    beast::flat_buffer buffer;
    http::request_parser<http::empty_body> parser;
    parser.header_limit(limits_.header_bytes);
    stream.expires_after(limits_.patience);
    const auto [unread, header_size] =
        co_await http::async_read_header(stream, buffer, parser, no_throw);
    const http::request<http::empty_body>& request = parser.get();
    HttpAnswer answer;
    if (unread) {
        answer = HttpAnswer(status_for(unread), "malformed request\n");
        if (answer.status == 0) {
            co_return;
        }
    } else if (request.method() != http::verb::get && request.method() != http::verb::head) {
        answer = HttpAnswer(405, "only GET and HEAD\n");
    } else {
        std::string path(request.target());
        path = path.substr(0, path.find('?'));
        stream.expires_never();
        answer = co_await answers_(std::move(path));
    }

    http::response<http::string_body> response;
    response.result(answer.status);
    response.set(http::field::content_type, answer.type);
    for (const auto& [name, value] : answer.headers) {
        response.set(name, value);
    }
    if (answer.status == 405) {
        response.set(http::field::allow, "GET, HEAD");
    }
    response.keep_alive(false);
    const std::size_t size = answer.body.size();
    if (unread || request.method() != http::verb::head) {
        response.body() = std::move(answer.body);
    }
    response.content_length(size);
    stream.expires_after(limits_.patience);
    const auto [unwritten, written] = co_await http::async_write(stream, response, no_throw);
    if (unwritten) {
        co_return;
    }
    beast::error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
    for (std::size_t drained = 0; drained < most_drained;) {
        buffer.clear();
        const auto [ended, more] = co_await stream.async_read_some(buffer.prepare(4096), no_throw);
        if (ended) {
            co_return;
        }
        drained += more;
    }
}

}  // namespace mirror::daemon

#include "tests/simulator/server.hpp"

#include <array>
#include <cstddef>
#include <exception>
#include <functional>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "tests/simulator/deliver.hpp"
#include "tests/simulator/stream.hpp"
#include "tests/simulator/wire.hpp"

namespace simulator {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Monotonic = std::chrono::steady_clock;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

struct Connection {
    Connection(std::uint64_t its_number, std::unique_ptr<Stream> its_stream,
               const asio::any_io_executor& executor)
        : number(its_number), stream(std::move(its_stream)), timer(executor) {}

    void close() {
        closed = true;
        stream->close();
        timer.cancel();
    }

    std::uint64_t number;
    std::unique_ptr<Stream> stream;
    asio::steady_timer timer;
    bool closed = false;
};

}  // namespace

class Server::Impl {
  public:
    Impl(Account& account, Behaviour behaviour, const ServerOptions& options)
        : books_(options.log_capacity), handler_(account, std::move(behaviour), books_) {
        if (options.tls) {
            tls_ = tls_context(options.tls->certificate, options.tls->key);
        }
        port_ = options.port;
        listen();
        thread_ = std::thread([this] { io_.run(); });
    }

    ~Impl() {
        on_own_thread([this] {
            acceptor_.reset();
            close_all();
            work_.reset();
        });
        thread_.join();
    }

    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    std::uint16_t port() const { return port_; }
    bool secure() const { return tls_ != nullptr; }

    RequestHandler& handler() { return handler_; }
    Bookkeeping& books() { return books_; }

    void stop_listening() {
        on_own_thread([this] { acceptor_.reset(); });
    }
    void listen_again() {
        on_own_thread([this] {
            if (!acceptor_) {
                listen();
            }
        });
    }
    void drop_connections() {
        on_own_thread([this] { close_all(); });
    }

  private:
    // Sockets belong to the server's thread.
    template <typename Work>
    void on_own_thread(Work work) {
        if (std::this_thread::get_id() == thread_.get_id()) {
            work();
            return;
        }
        std::packaged_task<void()> task(std::move(work));
        std::future<void> done = task.get_future();
        asio::post(io_, [&task] { task(); });
        done.get();
    }

    void listen() {
        const tcp::endpoint here(asio::ip::address_v4::loopback(), port_);
        auto acceptor = std::make_shared<tcp::acceptor>(io_, here, true);
        port_ = acceptor->local_endpoint().port();
        acceptor_ = acceptor;
        asio::co_spawn(io_, accept(acceptor), [](const std::exception_ptr& error) {
            if (error) {
                std::rethrow_exception(error);
            }
        });
    }

    asio::awaitable<void> accept(std::weak_ptr<tcp::acceptor> weak) {
        for (;;) {
            // The coroutine must not keep open what stop_listening() lets go: the operation under
            // way is cancelled when the acceptor is destroyed.
            tcp::acceptor* acceptor = weak.lock().get();
            if (acceptor == nullptr) {
                co_return;
            }
            auto [error, socket] = co_await acceptor->async_accept(as_result);
            if (error) {
                if (weak.expired()) {
                    co_return;
                }
                // Out of descriptors, most likely: some will come free.
                asio::steady_timer pause(io_, std::chrono::milliseconds(20));
                co_await pause.async_wait(as_result);
                continue;
            }
            welcome(std::move(socket));
        }
    }

    void welcome(tcp::socket socket) {
        boost::system::error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        std::uint64_t number = 0;
        books_.count([&](Counters& counters) {
            number = ++counters.connections;
            ++counters.open_connections;
        });
        auto stream = tls_ ? tls_stream(std::move(socket), *tls_) : plain_stream(std::move(socket));
        auto connection =
            std::make_shared<Connection>(number, std::move(stream), io_.get_executor());
        connections_.insert(connection);
        asio::co_spawn(io_, serve(connection), [this, connection](std::exception_ptr error) {
            connection->close();
            connections_.erase(connection);
            books_.count([](Counters& counters) { --counters.open_connections; });
            if (error) {
                std::rethrow_exception(error);
            }
        });
    }

    void close_all() {
        for (const auto& connection : connections_) {
            connection->close();
        }
    }

    asio::awaitable<void> serve(std::shared_ptr<Connection> connection) {
        Stream& stream = *connection->stream;
        if (!co_await stream.handshake()) {
            books_.count([](Counters& counters) { ++counters.handshakes_refused; });
            co_return;
        }
        RequestReader reader;
        std::array<char, 16 * 1024> bytes;
        std::uint64_t served = 0;
        const std::function<void(std::size_t)> sent = [this](std::size_t size) {
            books_.count([size](Counters& counters) { counters.bytes += size; });
        };
        for (;;) {
            RequestReader::State state = reader.feed({});
            while (state == RequestReader::State::incomplete) {
                const std::size_t received = co_await stream.read_some(asio::buffer(bytes));
                if (received == 0) {
                    co_return;
                }
                state = reader.feed({bytes.data(), received});
            }
            if (state == RequestReader::State::broken) {
                const std::string refusal =
                    "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                co_await stream.write(asio::buffer(refusal), asio::const_buffer());
                co_await stream.finish();
                co_return;
            }
            Request request = reader.take();
            request.connection = connection->number;
            const Exchange exchange = handler_.handle(request, reader.keep_alive(), ++served);
            if (exchange.wait.count() > 0) {
                connection->timer.expires_after(
                    std::chrono::duration_cast<Monotonic::duration>(exchange.wait));
                co_await connection->timer.async_wait(as_result);
            }
            if (connection->closed || !co_await deliver(stream, exchange, sent)) {
                co_return;
            }
        }
    }

    Bookkeeping books_;
    RequestHandler handler_;
    std::unique_ptr<asio::ssl::context> tls_;

    // These belong to the server's thread.
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
    std::shared_ptr<tcp::acceptor> acceptor_;
    std::set<std::shared_ptr<Connection>> connections_;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

Server::Server(Account& account, Behaviour behaviour, ServerOptions options)
    : impl_(std::make_unique<Impl>(account, std::move(behaviour), options)) {}
Server::~Server() = default;

std::string Server::url(const std::string& host, const std::string& path) const {
    return (impl_->secure() ? "https://" : "http://") + host + ":" + std::to_string(port()) + path;
}
std::uint16_t Server::port() const {
    return impl_->port();
}
Behaviour Server::behaviour() const {
    return impl_->handler().behaviour();
}
void Server::change(const std::function<void(Behaviour&)>& edit) {
    impl_->handler().change(edit);
}
ServerClock& Server::clock() {
    return impl_->handler().clock();
}
void Server::set_rule(Rule rule) {
    impl_->handler().set_rule(std::move(rule));
}
void Server::set_before(Hook hook) {
    impl_->handler().set_before(std::move(hook));
}
void Server::set_after(Hook hook) {
    impl_->handler().set_after(std::move(hook));
}
std::vector<LogEntry> Server::log() const {
    return impl_->books().log();
}
Counters Server::counters() const {
    return impl_->books().counters();
}
void Server::start_over() {
    impl_->books().start_over();
}
bool Server::wait(const std::function<bool(const Counters&)>& condition,
                  std::chrono::milliseconds timeout) const {
    return impl_->books().wait(condition, timeout);
}
void Server::stop_listening() {
    impl_->stop_listening();
}
void Server::listen_again() {
    impl_->listen_again();
}
void Server::drop_connections() {
    impl_->drop_connections();
}
std::vector<Values> Server::truth(StreamId stream) const {
    return impl_->handler().truth(stream);
}
std::vector<TrueRow> Server::truth() const {
    std::vector<TrueRow> rows;
    for (const Values& values : impl_->handler().truth(StreamId::impressions)) {
        rows.push_back(as_true_row(values));
    }
    return rows;
}

}  // namespace simulator

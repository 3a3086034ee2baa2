#include "tests/simulator/server.hpp"

#include <array>
#include <condition_variable>
#include <deque>
#include <exception>
#include <future>
#include <map>
#include <mutex>
#include <set>
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

#include "tests/simulator/answer.hpp"
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

// All that is decided about one reply before the first byte of it is sent.
struct Exchange {
    Wire wire;
    std::optional<VerbatimReply> raw;  // in place of wire
    Delivery delivery = Delivery::whole;
    std::chrono::nanoseconds wait{0};
    bool keep_alive = true;
};

bool accepts_gzip(const Request& request) {
    const auto accepted = request.headers.find("accept-encoding");
    return accepted != request.headers.end() && accepted->second.find("gzip") != std::string::npos;
}

bool sends_nothing(Delivery delivery) {
    return delivery == Delivery::close_before || delivery == Delivery::reset_before ||
           delivery == Delivery::hang;
}

}  // namespace

class Server::Impl {
  public:
    Impl(Account& account, Behaviour behaviour, ServerOptions options)
        : account_(account), behaviour_(std::move(behaviour)), options_(std::move(options)) {
        if (options_.tls) {
            tls_ = tls_context(options_.tls->certificate, options_.tls->key);
        }
        port_ = options_.port;
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

    Behaviour behaviour() const {
        const std::lock_guard lock(mutex_);
        return behaviour_;
    }
    void change(const std::function<void(Behaviour&)>& edit) {
        const std::lock_guard lock(mutex_);
        edit(behaviour_);
    }
    ServerClock& clock() { return clock_; }

    void set_rule(Rule rule) {
        const std::lock_guard lock(mutex_);
        rule_ = std::move(rule);
    }
    void set_before(Hook hook) {
        const std::lock_guard lock(mutex_);
        before_ = std::move(hook);
    }
    void set_after(Hook hook) {
        const std::lock_guard lock(mutex_);
        after_ = std::move(hook);
    }

    std::vector<LogEntry> log() const {
        const std::lock_guard lock(mutex_);
        return {log_.begin(), log_.end()};
    }
    Counters counters() const {
        const std::lock_guard lock(mutex_);
        return counters_;
    }
    void start_over() {
        const std::lock_guard lock(mutex_);
        log_.clear();
        calls_ = {};
        Counters counters;
        counters.connections = counters_.connections;
        counters.open_connections = counters_.open_connections;
        counters.handshakes_refused = counters_.handshakes_refused;
        counters_ = counters;
    }
    bool wait(const std::function<bool(const Counters&)>& condition,
              std::chrono::milliseconds timeout) const {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, timeout, [&] { return condition(counters_); });
    }

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

    std::vector<Values> truth(StreamId stream) const {
        std::vector<Values> rows = account_.of(stream).truth(clock_.now());
        if (!behaviour().profile_fields) {
            const std::vector<std::string> columns = columns_of(stream);
            for (Values& row : rows) {
                for (std::size_t i = 0; i < columns.size(); ++i) {
                    if (columns[i] == "profile" || columns[i] == "subprofile") {
                        row[i] = Value();
                    }
                }
            }
        }
        return rows;
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

    void count(const std::function<void(Counters&)>& edit) {
        {
            const std::lock_guard lock(mutex_);
            edit(counters_);
        }
        changed_.notify_all();
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
        count([&](Counters& counters) {
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
            count([](Counters& counters) { --counters.open_connections; });
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
            count([](Counters& counters) { ++counters.handshakes_refused; });
            co_return;
        }
        RequestReader reader;
        std::array<char, 16 * 1024> bytes;
        std::uint64_t served = 0;
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
            Exchange exchange = handle(request, reader.keep_alive(), ++served);
            if (exchange.wait.count() > 0) {
                connection->timer.expires_after(
                    std::chrono::duration_cast<Monotonic::duration>(exchange.wait));
                co_await connection->timer.async_wait(as_result);
            }
            if (connection->closed || !co_await deliver(stream, exchange)) {
                co_return;
            }
        }
    }

    // Everything about a request that needs no socket.
    Exchange handle(Request& request, bool keep_alive, std::uint64_t served) {
        Behaviour behaviour;
        Rule rule;
        Hook before;
        Hook after;
        {
            const std::lock_guard lock(mutex_);
            behaviour = behaviour_;
            rule = rule_;
            before = before_;
            after = after_;
            request.received_at = clock_.now();
            request.received_at_monotonic = Monotonic::now();
            understand(request, behaviour);
            count_call(request);
            request.number = ++counters_.requests;
            request.call_number = ++calls_[static_cast<std::size_t>(request.call)];
            if (request.has_token()) {
                ++counters_.requests_with_token;
            }
            if (request.leaked) {
                ++counters_.leaked_tokens;
            }
        }
        const bool last = !keep_alive || (behaviour.requests_per_connection != 0 &&
                                          served >= behaviour.requests_per_connection);

        Exchange exchange;
        std::optional<Fault> fault;
        Answer answered;
        try {
            if (before) {
                before(request);
            }
            if (rule) {
                fault = rule(request);
            }
            if (!fault && over_the_rate(behaviour)) {
                fault = faults::too_many_requests(behaviour.retry_after);
            }
            answered = answer(request, account_, behaviour, fault, clock_.now());
            if (fault && fault->raw) {
                exchange.raw = fault->raw(answered.reply.body);
            }
        } catch (const std::exception& error) {
            // A rule or hook of the test threw: let the test see it as a reply.
            answered.reply = {500, "text/plain", {}, std::string("simulator: ") + error.what()};
        }

        exchange.wait = behaviour.latency + answered.cost;
        if (fault) {
            exchange.wait += fault->delay;
            exchange.delivery = fault->delivery;
        }
        if (last && exchange.delivery == Delivery::whole) {
            exchange.delivery = Delivery::close_after;
        }
        Framed framed{behaviour, fault, date(request, behaviour), accepts_gzip(request),
                      keep_alive};
        exchange.wire = to_wire(answered.reply, framed);

        LogEntry entry;
        entry.request = request;
        entry.status = sends_nothing(exchange.delivery) ? 0 : answered.reply.status;
        entry.rows = answered.rows;
        entry.total = answered.total;
        entry.faulty = fault.has_value();
        count([&](Counters& counters) {
            counters.rows += answered.rows;
            log_.push_back(std::move(entry));
            if (log_.size() > options_.log_capacity) {
                log_.pop_front();
            }
        });
        if (after) {
            after(request);
        }
        return exchange;
    }

    // For consumption; mutex_ is held.
    void count_call(Request& request) {
        if (!request.token_right) {
            return;
        }
        ++calls_by_day_[std::chrono::floor<std::chrono::days>(
            account_.zone().to_local(request.received_at))];
        if (request.call == Call::consumption) {
            for (const auto& [day, calls] : calls_by_day_) {
                if (request.question.contains(day)) {
                    request.api_calls += calls;
                }
            }
        }
    }

    bool over_the_rate(const Behaviour& behaviour) {
        if (behaviour.requests_per_second == 0) {
            return false;
        }
        const auto now = Monotonic::now();
        while (!recent_.empty() && now - recent_.front() >= std::chrono::seconds(1)) {
            recent_.pop_front();
        }
        if (recent_.size() >= behaviour.requests_per_second) {
            return true;
        }
        recent_.push_back(now);
        return false;
    }

    std::optional<std::string> date(const Request& request, const Behaviour& behaviour) const {
        const DateHeader& header = behaviour.date;
        const bool concerned = request.number % std::max<std::uint64_t>(header.every, 1) == 0;
        const mirror::Instant now = clock_.now();
        if (!concerned) {
            return http_date(now);
        }
        switch (header.form) {
            case DateHeader::Form::absent:
                return std::nullopt;
            case DateHeader::Form::unreadable:
                return "half past nine, or so";
            case DateHeader::Form::readable:
                break;
        }
        return http_date(now + header.skew);
    }

    // False if the connection has come to its end.
    asio::awaitable<bool> deliver(Stream& stream, const Exchange& exchange) {
        if (exchange.raw) {
            co_await deliver_raw(stream, *exchange.raw);
            co_return false;
        }
        const auto head = asio::buffer(exchange.wire.head);
        const auto body = asio::buffer(exchange.wire.body);
        const auto half = asio::buffer(body, body.size() / 2);
        switch (exchange.delivery) {
            case Delivery::whole:
            case Delivery::close_after: {
                if (!co_await stream.write(head, body)) {
                    co_return false;
                }
                count([&](Counters& counters) { counters.bytes += head.size() + body.size(); });
                if (exchange.delivery == Delivery::whole) {
                    co_return true;
                }
                co_await finish(stream);
                co_return false;
            }
            case Delivery::close_before:
                co_await finish(stream);
                co_return false;
            case Delivery::reset_before:
                stream.reset();
                co_return false;
            case Delivery::hang:
                co_await until_closed(stream);
                co_return false;
            case Delivery::hang_in_body:
                co_await stream.write(head, half);
                co_await until_closed(stream);
                co_return false;
            case Delivery::close_in_body:
                co_await stream.write(head, half);
                co_await finish(stream);
                co_return false;
            case Delivery::reset_in_body:
                co_await stream.write(head, half);
                stream.reset();
                co_return false;
            case Delivery::without_last_chunk:
                co_await stream.write(head, body);
                co_await finish(stream);
                co_return false;
        }
        co_return false;
    }

    asio::awaitable<void> deliver_raw(Stream& stream, const VerbatimReply& raw) {
        bool there = co_await stream.write(asio::buffer(raw.bytes), asio::const_buffer());
        for (std::uint64_t sent = 0; there && sent < raw.pieces; ++sent) {
            there = co_await stream.write(asio::buffer(raw.piece), asio::const_buffer());
        }
        if (raw.end == VerbatimReply::End::reset) {
            stream.reset();
        } else if (raw.end == VerbatimReply::End::stay) {
            co_await until_closed(stream);
        } else if (there) {
            co_await finish(stream);
        }
    }

    // Closing with unread bytes would be an RST, which may overtake what was sent: so the
    // client's end of the connection is awaited.
    asio::awaitable<void> finish(Stream& stream) {
        co_await stream.finish();
        co_await until_closed(stream);
    }

    asio::awaitable<void> until_closed(Stream& stream) {
        std::array<char, 1024> ignored;
        while (co_await stream.read_some(asio::buffer(ignored)) != 0) {
        }
    }

    Account& account_;
    Behaviour behaviour_;
    const ServerOptions options_;
    std::unique_ptr<asio::ssl::context> tls_;
    ServerClock clock_;

    mutable std::mutex mutex_;  // of behaviour_, and of what follows up to counters_
    mutable std::condition_variable changed_;
    Rule rule_;
    Hook before_;
    Hook after_;
    std::deque<LogEntry> log_;
    std::map<std::chrono::local_days, std::uint64_t> calls_by_day_;
    std::array<std::uint64_t, call_count> calls_{};  // by Call
    Counters counters_;

    // These belong to the server's thread.
    std::deque<Monotonic::time_point> recent_;
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
    std::shared_ptr<tcp::acceptor> acceptor_;
    std::set<std::shared_ptr<Connection>> connections_;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

Server::Server(Account& account, Behaviour behaviour, ServerOptions options)
    : impl_(std::make_unique<Impl>(account, std::move(behaviour), std::move(options))) {}
Server::~Server() = default;

std::string Server::url(const std::string& host, const std::string& path) const {
    return (impl_->secure() ? "https://" : "http://") + host + ":" + std::to_string(port()) + path;
}
std::uint16_t Server::port() const {
    return impl_->port();
}
Behaviour Server::behaviour() const {
    return impl_->behaviour();
}
void Server::change(const std::function<void(Behaviour&)>& edit) {
    impl_->change(edit);
}
ServerClock& Server::clock() {
    return impl_->clock();
}
void Server::set_rule(Rule rule) {
    impl_->set_rule(std::move(rule));
}
void Server::set_before(Hook hook) {
    impl_->set_before(std::move(hook));
}
void Server::set_after(Hook hook) {
    impl_->set_after(std::move(hook));
}
std::vector<LogEntry> Server::log() const {
    return impl_->log();
}
Counters Server::counters() const {
    return impl_->counters();
}
void Server::start_over() {
    impl_->start_over();
}
bool Server::wait(const std::function<bool(const Counters&)>& condition,
                  std::chrono::milliseconds timeout) const {
    return impl_->wait(condition, timeout);
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
    return impl_->truth(stream);
}
std::vector<TrueRow> Server::truth() const {
    std::vector<TrueRow> rows;
    for (const Values& values : impl_->truth(StreamId::impressions)) {
        rows.push_back(as_true_row(values));
    }
    return rows;
}

}  // namespace simulator

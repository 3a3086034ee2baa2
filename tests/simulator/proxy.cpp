#include "tests/simulator/proxy.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <condition_variable>
#include <future>
#include <mutex>
#include <set>
#include <string_view>
#include <thread>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <openssl/evp.h>

namespace simulator {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Answer = ProxyBehaviour::Answer;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

struct Session {
    explicit Session(tcp::socket socket)
        : client(std::move(socket)), server(client.get_executor()) {}

    void close() {
        boost::system::error_code ignored;
        client.close(ignored);
        server.close(ignored);
    }

    tcp::socket client;
    tcp::socket server;
    std::string bytes;  // received from the client, and not yet understood
};
using SessionPointer = std::shared_ptr<Session>;

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char byte) { return static_cast<char>(std::tolower(byte)); });
    return out;
}

// Takes lines off the front of a head.
std::string_view take_line(std::string_view& head) {
    const std::size_t end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    return line;
}

ProxyRequest parse(std::string_view head) {
    ProxyRequest request;
    const std::string_view first = take_line(head);
    const std::size_t space = std::min(first.find(' '), first.size());
    request.method = std::string(first.substr(0, space));
    const std::string_view rest = first.substr(std::min(space + 1, first.size()));
    request.target = std::string(rest.substr(0, rest.find(' ')));
    while (!head.empty()) {
        const std::string_view line = take_line(head);
        const std::size_t colon = line.find(':');
        if (colon != std::string_view::npos) {
            const std::size_t value = std::min(line.find_first_not_of(' ', colon + 1), line.size());
            request.headers[lower(line.substr(0, colon))] = std::string(line.substr(value));
        }
    }
    return request;
}

std::string base64(const std::string& text) {
    std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
    const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                       reinterpret_cast<const unsigned char*>(text.data()),
                                       static_cast<int>(text.size()));
    out.resize(static_cast<std::size_t>(length));
    return out;
}

bool authorized(const ProxyRequest& request, const ProxyBehaviour& behaviour) {
    const auto header = request.headers.find("proxy-authorization");
    return !behaviour.credentials || (header != request.headers.end() &&
                                      header->second == "Basic " + base64(*behaviour.credentials));
}

// Nothing if the target is not a host and a port.
std::optional<tcp::endpoint> endpoint_of(const std::string& target,
                                         const ProxyBehaviour& behaviour) {
    const std::size_t colon = target.rfind(':');
    if (colon == std::string::npos) {
        return std::nullopt;
    }
    std::uint16_t port = 0;
    const char* end = target.data() + target.size();
    const auto [parsed, error] = std::from_chars(target.data() + colon + 1, end, port);
    if (error != std::errc() || parsed != end) {
        return std::nullopt;
    }
    const auto known = behaviour.hosts.find(target.substr(0, colon));
    return tcp::endpoint(asio::ip::address_v4::loopback(),
                         known == behaviour.hosts.end() ? port : known->second);
}

std::string page(unsigned status) {
    const std::string title = status == 407   ? "407 Proxy Authentication Required"
                              : status == 502 ? "502 Bad Gateway"
                              : status == 403 ? "403 Forbidden"
                                              : std::to_string(status) + " Proxy Error";
    const std::string body = "<html><head><title>" + title + "</title></head><body><h1>" + title +
                             "</h1><p>The proxy of this company says so.</p></body></html>\r\n";
    return "HTTP/1.1 " + title + "\r\nContent-Type: text/html\r\n" +
           (status == 407 ? "Proxy-Authenticate: Basic realm=\"company\"\r\n" : "") +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

class Proxy::Impl {
  public:
    explicit Impl(ProxyBehaviour behaviour)
        : behaviour_(std::move(behaviour)),
          acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
          port_(acceptor_.local_endpoint().port()) {
        asio::co_spawn(io_, accept(), asio::detached);
        thread_ = std::thread([this] { io_.run(); });
    }

    ~Impl() {
        on_own_thread([this] {
            acceptor_.close();
            close_all();
        });
        thread_.join();
    }

    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    std::uint16_t port() const { return port_; }

    void change(const std::function<void(ProxyBehaviour&)>& edit) {
        const std::lock_guard lock(mutex_);
        edit(behaviour_);
    }
    ProxyCounters counters() const {
        const std::lock_guard lock(mutex_);
        return counters_;
    }
    std::vector<ProxyRequest> requests() const {
        const std::lock_guard lock(mutex_);
        return requests_;
    }
    bool wait(const std::function<bool(const ProxyCounters&)>& condition,
              std::chrono::milliseconds timeout) const {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, timeout, [&] { return condition(counters_); });
    }
    void drop_connections() {
        on_own_thread([this] { close_all(); });
    }

  private:
    template <typename Work>
    void on_own_thread(Work work) {
        std::packaged_task<void()> task(std::move(work));
        std::future<void> done = task.get_future();
        asio::post(io_, [&task] { task(); });
        done.get();
    }

    void close_all() {
        for (const SessionPointer& session : sessions_) {
            session->close();
        }
    }

    void count(std::uint64_t ProxyCounters::*counter, std::uint64_t by = 1) {
        {
            const std::lock_guard lock(mutex_);
            counters_.*counter += by;
        }
        changed_.notify_all();
    }

    asio::awaitable<void> accept() {
        for (;;) {
            auto [error, socket] = co_await acceptor_.async_accept(as_result);
            if (error) {
                co_return;
            }
            auto session = std::make_shared<Session>(std::move(socket));
            sessions_.insert(session);
            count(&ProxyCounters::connections);
            count(&ProxyCounters::open_connections);
            asio::co_spawn(io_, serve(session), [this, session](const std::exception_ptr&) {
                session->close();
                sessions_.erase(session);
                count(&ProxyCounters::open_connections, std::uint64_t{0} - 1);
            });
        }
    }

    // One request after the other, until there is a tunnel or an end.
    asio::awaitable<void> serve(SessionPointer session) {
        for (;;) {
            const std::optional<ProxyRequest> request = co_await read(session);
            if (!request) {
                co_return;
            }
            ProxyBehaviour behaviour;
            {
                const std::lock_guard lock(mutex_);
                behaviour = behaviour_;
                requests_.push_back(*request);
            }
            const bool goes_on = co_await answer(session, *request, behaviour);
            if (!goes_on) {
                co_return;
            }
        }
    }

    // Nothing at the end of the connection.
    asio::awaitable<std::optional<ProxyRequest>> read(SessionPointer session) {
        constexpr std::size_t largest = 64 * 1024;
        std::array<char, 4096> piece;
        for (;;) {
            const std::size_t end = session->bytes.find("\r\n\r\n");
            if (end != std::string::npos) {
                ProxyRequest request = parse(std::string_view(session->bytes).substr(0, end + 2));
                session->bytes.erase(0, end + 4);
                co_return request;
            }
            const auto [error, received] =
                co_await session->client.async_read_some(asio::buffer(piece), as_result);
            if (error || session->bytes.size() > largest) {
                co_return std::nullopt;
            }
            session->bytes.append(piece.data(), received);
        }
    }

    // Whether another request may follow.
    asio::awaitable<bool> answer(SessionPointer session, const ProxyRequest& request,
                                 const ProxyBehaviour& behaviour) {
        if (request.method != "CONNECT") {
            count(&ProxyCounters::other_requests);
            co_return co_await send(session, page(403));
        }
        if (!authorized(request, behaviour)) {
            count(&ProxyCounters::unauthorized);
            co_return co_await send(session, page(407));
        }
        switch (behaviour.answer) {
            case Answer::refuse:
                count(&ProxyCounters::refused);
                co_return co_await send(session, page(behaviour.status));
            case Answer::hang:
                co_await until_closed(session);
                co_return false;
            case Answer::close:
                co_return false;
            case Answer::nonsense:
                co_await send(session, "220 mail.example ESMTP\r\n");
                co_return false;
            case Answer::tunnel:
            case Answer::close_in_tunnel:
            case Answer::hang_in_tunnel:
                break;
        }
        const bool connected = co_await connect(session, request, behaviour);
        if (!connected) {
            count(&ProxyCounters::refused);
            co_return co_await send(session, page(502));
        }
        co_await tunnel(session, behaviour);
        co_return false;
    }

    asio::awaitable<bool> connect(SessionPointer session, const ProxyRequest& request,
                                  const ProxyBehaviour& behaviour) {
        const auto target = endpoint_of(request.target, behaviour);
        if (!target) {
            co_return false;
        }
        const auto [error] = co_await session->server.async_connect(*target, as_result);
        co_return !error;
    }

    asio::awaitable<bool> send(SessionPointer session, std::string text) {
        const auto [error, sent] =
            co_await asio::async_write(session->client, asio::buffer(text), as_result);
        co_return !error;
    }

    asio::awaitable<void> tunnel(SessionPointer session, const ProxyBehaviour& behaviour) {
        boost::system::error_code ignored;
        session->client.set_option(tcp::no_delay(true), ignored);
        session->server.set_option(tcp::no_delay(true), ignored);
        count(&ProxyCounters::tunnels);
        const bool greeted = co_await send(session, "HTTP/1.1 200 Connection established\r\n\r\n");
        if (!greeted) {
            co_return;
        }
        const std::string early = std::exchange(session->bytes, {});
        co_await asio::async_write(session->server, asio::buffer(early), as_result);
        count(&ProxyCounters::bytes_up, early.size());
        asio::co_spawn(io_, up(session), asio::detached);
        co_await down(session, behaviour);
    }

    asio::awaitable<void> up(SessionPointer session) {
        std::array<char, 16 * 1024> piece;
        for (;;) {
            const auto [error, received] =
                co_await session->client.async_read_some(asio::buffer(piece), as_result);
            if (error) {
                break;
            }
            count(&ProxyCounters::bytes_up, received);
            const auto [failed, sent] = co_await asio::async_write(
                session->server, asio::buffer(piece.data(), received), as_result);
            if (failed) {
                break;
            }
        }
        // The server's end of the connection ends the session.
        boost::system::error_code ignored;
        session->server.shutdown(tcp::socket::shutdown_send, ignored);
        session->server.shutdown(tcp::socket::shutdown_receive, ignored);
    }

    asio::awaitable<void> down(SessionPointer session, const ProxyBehaviour& behaviour) {
        const bool limited = behaviour.answer != Answer::tunnel;
        std::uint64_t left = behaviour.tunnel_bytes;
        std::array<char, 16 * 1024> piece;
        while (!limited || left > 0) {
            const std::size_t most =
                limited ? std::min<std::uint64_t>(left, piece.size()) : piece.size();
            const auto [error, received] = co_await session->server.async_read_some(
                asio::buffer(piece.data(), most), as_result);
            if (error) {
                co_return;
            }
            left -= limited ? received : 0;
            count(&ProxyCounters::bytes_down, received);
            const auto [failed, sent] = co_await asio::async_write(
                session->client, asio::buffer(piece.data(), received), as_result);
            if (failed) {
                co_return;
            }
        }
        if (behaviour.answer == Answer::hang_in_tunnel) {
            // up() reads the client meanwhile, and ends the session when the client has gone.
            co_await session->server.async_wait(tcp::socket::wait_error, as_result);
        }
    }

    asio::awaitable<void> until_closed(SessionPointer session) {
        std::array<char, 1024> ignored;
        for (;;) {
            const auto [error, received] =
                co_await session->client.async_read_some(asio::buffer(ignored), as_result);
            if (error) {
                co_return;
            }
        }
    }

    mutable std::mutex mutex_;  // of what follows up to requests_
    mutable std::condition_variable changed_;
    ProxyBehaviour behaviour_;
    ProxyCounters counters_;
    std::vector<ProxyRequest> requests_;

    // These belong to the proxy's thread.
    asio::io_context io_{1};
    tcp::acceptor acceptor_;
    std::set<SessionPointer> sessions_;
    std::uint16_t port_;
    std::thread thread_;
};

Proxy::Proxy(ProxyBehaviour behaviour) : impl_(std::make_unique<Impl>(std::move(behaviour))) {}
Proxy::~Proxy() = default;

std::uint16_t Proxy::port() const {
    return impl_->port();
}
std::string Proxy::url(const std::string& credentials) const {
    return "http://" + (credentials.empty() ? "" : credentials + "@") +
           "127.0.0.1:" + std::to_string(port());
}
void Proxy::change(const std::function<void(ProxyBehaviour&)>& edit) {
    impl_->change(edit);
}
ProxyCounters Proxy::counters() const {
    return impl_->counters();
}
std::vector<ProxyRequest> Proxy::requests() const {
    return impl_->requests();
}
bool Proxy::wait(const std::function<bool(const ProxyCounters&)>& condition,
                 std::chrono::milliseconds timeout) const {
    return impl_->wait(condition, timeout);
}
void Proxy::drop_connections() {
    impl_->drop_connections();
}

}  // namespace simulator

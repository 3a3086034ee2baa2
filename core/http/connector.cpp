#include "core/http/connector.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

#include "core/http/address_order.hpp"
#include "core/http/address_race.hpp"
#include "core/http/connection_error.hpp"
#include "core/http/resolver.hpp"
#include "core/time/text.hpp"
#include "core/util/deadline.hpp"

namespace mirror::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using boost::system::system_error;

namespace {

using Time = std::chrono::steady_clock::time_point;
using Kind = ConnectionError::Kind;
using Stage = ConnectionError::Stage;

Time now() {
    return std::chrono::steady_clock::now();
}

// Connects a socket to the first address that answers: the proxy's, if there is one.
asio::awaitable<tcp::socket> connect_socket(const Route& route, Time deadline) {
    const BaseUrl& url = route.url;
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    std::vector<tcp::endpoint> endpoints;
    error_code failure;
    try {
        std::string host = route.proxy ? route.proxy->host : url.host;
        const std::uint16_t port = route.proxy ? route.proxy->port : url.port;
        endpoints = co_await resolve(std::move(host), port, deadline);
    } catch (const system_error& error) {
        failure = error.code();
    }
    if (failure == asio::error::operation_aborted) {
        throw system_error(failure);
    }
    if (failure) {
        throw ConnectionError(
            Kind::trouble,
            (route.proxy ? "host name of the proxy not resolved: " : "host name not resolved: ") +
                failure.message(),
            Stage::resolve);
    }
    const std::string to_whom = route.proxy
                                    ? "not connected to the proxy " + route.proxy->place() + ": "
                                    : "not connected: ";
    if (!url.tls) {
        std::erase_if(endpoints, [](const tcp::endpoint& endpoint) {
            return !endpoint.address().is_loopback();
        });
        if (endpoints.empty()) {
            throw ConnectionError(Kind::trouble, to_whom + "plain HTTP is only for this machine",
                                  Stage::connect);
        }
    }
    std::optional<std::string> why;
    try {
        tcp::socket socket =
            co_await connect_first(in_order(endpoints, *route.last_good), route.timeouts, deadline);
        error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        co_return std::move(socket);
    } catch (const system_error&) {
        throw;
    } catch (const std::runtime_error& error) {
        why = error.what();
    }
    throw ConnectionError(Kind::trouble, to_whom + *why, Stage::connect);
}

// Asks for a tunnel, and waits until it is there.
asio::awaitable<void> open_tunnel(tcp::socket& socket, const Route& route, Time deadline) {
    const ProxyAddress& proxy = *route.proxy;
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    Deadline deadline_timer(executor, [&socket] {
        error_code ignored;
        socket.close(ignored);
    });
    deadline_timer.expires_at(deadline);
    const auto fail = [&](const error_code& error) {
        if (deadline_timer.expired()) {
            throw ConnectionError(Kind::trouble, "no answer of the proxy " + proxy.place(),
                                  Stage::proxy);
        }
        if (error == asio::error::operation_aborted) {
            throw system_error(error);
        }
        throw ConnectionError(Kind::trouble,
                              "the proxy " + proxy.place() + " breaks off: " + text_of(error),
                              Stage::proxy);
    };
    const std::string request = connect_request(route.url, proxy);
    const auto [write_error, written] = co_await asio::async_write(
        socket, asio::buffer(request), asio::as_tuple(asio::use_awaitable));
    if (write_error) {
        fail(write_error);
    }
    std::string received;
    ProxyAnswer answer;
    while (answer.state == ProxyAnswer::State::incomplete) {
        std::array<char, 1024> bytes{};
        const auto [error, size] = co_await socket.async_read_some(
            asio::buffer(bytes), asio::as_tuple(asio::use_awaitable));
        received.append(bytes.data(), size);
        answer = read_proxy_answer(received);
        if (error && answer.state == ProxyAnswer::State::incomplete) {
            fail(error);
        }
    }
    deadline_timer.off();
    if (answer.state == ProxyAnswer::State::broken) {
        throw ConnectionError(Kind::trouble,
                              "the proxy " + proxy.place() + " does not answer as a proxy",
                              Stage::proxy);
    }
    if (answer.state == ProxyAnswer::State::refused) {
        const ProxyRefusal refusal = proxy_refusal(answer.status, route.url, proxy);
        throw ConnectionError(refusal.needs_person ? Kind::proxy : Kind::trouble, refusal.why,
                              Stage::proxy);
    }
}

// What OpenSSL says, and for a date that is wrong what it was compared with.
std::string certificate_trouble(const std::string& verdict) {
    const bool is_date = verdict.find("expired") != std::string::npos ||
                         verdict.find("not yet valid") != std::string::npos;
    return is_date ? verdict + ", by this machine's clock, which shows " +
                         format_utc(std::chrono::floor<Seconds>(std::chrono::system_clock::now()))
                   : verdict;
}

void note_good(const Route& route, tcp::socket& socket) {
    error_code error;
    const tcp::endpoint peer = socket.remote_endpoint(error);
    if (!error) {
        *route.last_good = peer.address();
    }
}

}  // namespace

asio::awaitable<std::unique_ptr<Transport>> connect(Route route) {
    const BaseUrl& url = route.url;
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const Time deadline = now() + route.timeouts.connect;
    tcp::socket socket = co_await connect_socket(route, deadline);
    if (!url.tls) {
        note_good(route, socket);
        co_return make_plain_transport(std::move(socket));
    }
    if (route.proxy) {
        co_await open_tunnel(socket, route, deadline);
    }
    std::unique_ptr<TlsTransport> transport = make_tls_transport(std::move(socket), route.trust);
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
        throw ConnectionError(Kind::certificate, certificate_trouble(wrong), Stage::tls);
    }
    if (error == asio::error::operation_aborted) {
        throw system_error(error);
    }
    if (error) {
        throw ConnectionError(Kind::trouble, "TLS handshake failed: " + text_of(error), Stage::tls);
    }
    note_good(route, transport->socket());
    co_return std::move(transport);
}

}  // namespace mirror::http

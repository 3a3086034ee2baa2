#include "core/http/connector.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "core/http/connection_error.hpp"
#include "core/http/resolver.hpp"
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

// Connects a socket to the first address that answers.
asio::awaitable<tcp::socket> connect_socket(const BaseUrl& url, const Timeouts& timeouts,
                                            Time deadline) {
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

asio::awaitable<std::unique_ptr<Transport>> connect(BaseUrl url, std::shared_ptr<TlsTrust> trust,
                                                    Timeouts timeouts) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const Time deadline = now() + timeouts.connect;
    tcp::socket socket = co_await connect_socket(url, timeouts, deadline);
    if (!url.tls) {
        co_return make_plain_transport(std::move(socket));
    }
    std::unique_ptr<TlsTransport> transport =
        make_tls_transport(std::move(socket), std::move(trust));
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
    co_return std::move(transport);
}

}  // namespace mirror::http

#include "tests/simulator/stream.hpp"

#include <array>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace simulator {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using asio::ip::tcp;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

template <typename Bytes>
asio::awaitable<std::size_t> read_from(Bytes& bytes, asio::mutable_buffer into) {
    const auto [error, count] = co_await bytes.async_read_some(into, as_result);
    co_return error ? 0 : count;
}

template <typename Bytes>
asio::awaitable<bool> write_to(Bytes& bytes, asio::const_buffer first, asio::const_buffer second) {
    const std::array<asio::const_buffer, 2> buffers{first, second};
    const auto [error, count] = co_await asio::async_write(bytes, buffers, as_result);
    co_return !error;
}

class PlainStream final : public Stream {
  public:
    explicit PlainStream(tcp::socket socket) : socket_(std::move(socket)) {}

    asio::awaitable<bool> handshake() override { co_return true; }
    asio::awaitable<std::size_t> read_some(asio::mutable_buffer into) override {
        return read_from(socket_, into);
    }
    asio::awaitable<bool> write(asio::const_buffer first, asio::const_buffer second) override {
        return write_to(socket_, first, second);
    }
    asio::awaitable<void> finish() override {
        boost::system::error_code ignored;
        socket_.shutdown(tcp::socket::shutdown_send, ignored);
        co_return;
    }

  protected:
    tcp::socket& socket() override { return socket_; }

  private:
    tcp::socket socket_;
};

class TlsStream final : public Stream {
  public:
    TlsStream(tcp::socket socket, ssl::context& context) : tls_(std::move(socket), context) {}

    asio::awaitable<bool> handshake() override {
        const auto [error] = co_await tls_.async_handshake(ssl::stream_base::server, as_result);
        co_return !error;
    }
    asio::awaitable<std::size_t> read_some(asio::mutable_buffer into) override {
        return read_from(tls_, into);
    }
    asio::awaitable<bool> write(asio::const_buffer first, asio::const_buffer second) override {
        return write_to(tls_, first, second);
    }
    asio::awaitable<void> finish() override {
        // Says close_notify, and does not wait for the client's: its FIN comes soon enough.
        SSL_set_shutdown(tls_.native_handle(), SSL_RECEIVED_SHUTDOWN);
        co_await tls_.async_shutdown(as_result);
        boost::system::error_code ignored;
        tls_.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
    }

  protected:
    tcp::socket& socket() override { return tls_.next_layer(); }

  private:
    ssl::stream<tcp::socket> tls_;
};

}  // namespace

void Stream::close() {
    boost::system::error_code ignored;
    socket().close(ignored);
}

void Stream::reset() {
    boost::system::error_code ignored;
    socket().set_option(asio::socket_base::linger(true, 0), ignored);
    socket().close(ignored);
}

std::unique_ptr<Stream> plain_stream(tcp::socket socket) {
    return std::make_unique<PlainStream>(std::move(socket));
}

std::unique_ptr<Stream> tls_stream(tcp::socket socket, ssl::context& context) {
    return std::make_unique<TlsStream>(std::move(socket), context);
}

std::unique_ptr<ssl::context> tls_context(const std::filesystem::path& certificate,
                                          const std::filesystem::path& key) {
    auto context = std::make_unique<ssl::context>(ssl::context::tls_server);
    context->set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 |
                         ssl::context::no_tlsv1_1);
    context->use_certificate_chain_file(certificate.string());
    context->use_private_key_file(key.string(), ssl::context::pem);
    return context;
}

}  // namespace simulator

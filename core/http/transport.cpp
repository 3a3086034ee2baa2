#include "core/http/transport.hpp"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "core/http/connection_error.hpp"
#include "core/http/tls_trust.hpp"

namespace mirror::http {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

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

class OpensslTransport final : public TlsTransport {
  public:
    OpensslTransport(tcp::socket socket, std::shared_ptr<TlsTrust> trust)
        : trust_(std::move(trust)), stream_(std::move(socket), trust_->context) {}
    tcp::socket& socket() override { return stream_.next_layer(); }
    bool holds_bytes() const override {
        SSL* const native = const_cast<Stream&>(stream_).native_handle();
        return SSL_has_pending(native) != 0 || BIO_pending(SSL_get_rbio(native)) > 0;
    }

    asio::awaitable<error_code> handshake(const BaseUrl& url) override {
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
            throw ConnectionError(ConnectionError::Kind::trouble,
                                  "the TLS connection cannot be set up",
                                  ConnectionError::Stage::tls);
        }
        const auto [error] = co_await stream_.async_handshake(ssl::stream_base::client,
                                                              asio::as_tuple(asio::use_awaitable));
        co_return error;
    }

    const char* what_is_wrong_with_the_certificate() override {
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

}  // namespace

std::unique_ptr<Transport> make_plain_transport(tcp::socket socket) {
    return std::make_unique<PlainTransport>(std::move(socket));
}

std::unique_ptr<TlsTransport> make_tls_transport(tcp::socket socket,
                                                 std::shared_ptr<TlsTrust> trust) {
    return std::make_unique<OpensslTransport>(std::move(socket), std::move(trust));
}

std::string text_of(const error_code& error) {
    if (error == ssl::error::stream_truncated) {
        return "TLS connection cut off";
    }
    if (error == asio::error::eof) {
        return "connection closed by the server";
    }
    if (error.category() == asio::error::get_ssl_category() &&
        ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_WRONG_VERSION_NUMBER) {
        return error.message() + " (what answers there may speak plain HTTP)";
    }
    return error.message();
}

}  // namespace mirror::http

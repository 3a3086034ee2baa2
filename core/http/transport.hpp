// Bytes to and from a connected peer, in the clear or over TLS.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <tuple>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include "core/http/tls_context.hpp"
#include "core/http/url.hpp"

namespace mirror::http {

/// read_some() and write() complete with an error, they do not throw one.
class Transport {
  public:
    using Result = std::tuple<boost::system::error_code, std::size_t>;

    virtual ~Transport() = default;
    virtual boost::asio::ip::tcp::socket& socket() = 0;
    virtual boost::asio::awaitable<Result> read_some(boost::asio::mutable_buffer buffer) = 0;
    /// All of it.
    virtual boost::asio::awaitable<Result> write(boost::asio::const_buffer buffer) = 0;
    /// Bytes that were received and not read yet.
    virtual bool holds_bytes() const { return false; }
};

std::unique_ptr<Transport> make_plain_transport(boost::asio::ip::tcp::socket socket);

/// One that has still to shake hands.
class TlsTransport : public Transport {
  public:
    /// Names the host to the server and checks that its certificate is for it. Completes with an
    /// error; throws ConnectionError if it cannot even begin.
    virtual boost::asio::awaitable<boost::system::error_code> handshake(const BaseUrl& url) = 0;

    /// Null if nothing is wrong with the certificate, or if none was seen.
    virtual const char* what_is_wrong_with_the_certificate() = 0;
};

std::unique_ptr<TlsTransport> make_tls_transport(boost::asio::ip::tcp::socket socket,
                                                 std::shared_ptr<TlsTrust> trust);

/// For people.
std::string text_of(const boost::system::error_code& error);

}  // namespace mirror::http

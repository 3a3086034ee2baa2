// One connection's bytes, plain or TLS, behind one face, so that only one file instantiates TLS.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

namespace simulator {

/// Nothing here throws: a connection that breaks is what the simulator is made for.
class Stream {
  public:
    virtual ~Stream() = default;

    /// False if the client did not accept us.
    virtual boost::asio::awaitable<bool> handshake() = 0;
    /// 0 at the end, clean or not.
    virtual boost::asio::awaitable<std::size_t> read_some(boost::asio::mutable_buffer into) = 0;
    virtual boost::asio::awaitable<bool> write(boost::asio::const_buffer first,
                                               boost::asio::const_buffer second) = 0;
    /// Ends politely: close_notify, FIN.
    virtual boost::asio::awaitable<void> finish() = 0;

    /// Ends at once; what waits for the stream goes on.
    void close();
    /// As close(), with an RST.
    void reset();

  protected:
    virtual boost::asio::ip::tcp::socket& socket() = 0;
};

std::unique_ptr<Stream> plain_stream(boost::asio::ip::tcp::socket socket);
std::unique_ptr<Stream> tls_stream(boost::asio::ip::tcp::socket socket,
                                   boost::asio::ssl::context& context);

/// TLS 1.2 or newer with that certificate (PEM, leaf first). Throws boost::system::system_error.
std::unique_ptr<boost::asio::ssl::context> tls_context(const std::filesystem::path& certificate,
                                                       const std::filesystem::path& key);

}  // namespace simulator

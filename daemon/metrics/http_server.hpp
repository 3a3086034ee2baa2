// A small HTTP server for a few short answers: GET and HEAD, one request per connection.
//
// Beast parses and writes the messages; only the loop around it is ours. The servers that Debian 12
// and 13 have would bring threads of their own (civetweb, which prometheus-cpp uses, cpp-httplib,
// libmicrohttpd), and what is served lives on the loop's thread. prometheus-cpp's Exposer serves
// metrics only, and not /healthz.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "daemon/config/listen_address.hpp"

namespace mirror::daemon {

struct HttpAnswer {
    HttpAnswer() = default;
    HttpAnswer(unsigned answer_status, std::string answer_body)
        : status(answer_status), body(std::move(answer_body)) {}

    unsigned status = 200;
    std::string type = "text/plain; charset=utf-8";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;  ///< more of them
};

struct HttpLimits {
    std::uint32_t header_bytes = 8192;
    std::size_t connections = 8;                 ///< at a time; the oldest gives way to one more
    std::chrono::milliseconds patience{10'000};  ///< for the request, and for the reply
};

/// Runs on one thread. Errors stay with one connection.
class HttpServer {
  public:
    /// What is at a path (without its query); a 404 if nothing is. Must not throw.
    using Answers = std::function<boost::asio::awaitable<HttpAnswer>(std::string path)>;

    /// Listens. Throws boost::system::system_error if that is not possible.
    HttpServer(const boost::asio::any_io_executor& executor, const ListenAddress& where,
               Answers answers, HttpLimits limits = {});
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    /// "127.0.0.1:9743".
    std::string where() const;

    /// Ends all connections; nothing keeps the loop running any more.
    void close();

  private:
    class Client;

    boost::asio::awaitable<void> accept();
    boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket);

    boost::asio::ip::tcp::acceptor acceptor_;
    Answers answers_;
    HttpLimits limits_;
    std::list<Client*> clients_;  // oldest first
};

}  // namespace mirror::daemon

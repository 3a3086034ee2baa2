// Connections that are kept for the next request.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "core/http/connection.hpp"

namespace mirror::http {

/// Keeps connections that rest, the one used last on top. It sets no limit to those in use: that
/// is the caller's. No call suspends but open().
class ConnectionPool {
  public:
    ConnectionPool(Route route, std::size_t most_resting);

    /// A connection that rested and lives as far as can be seen; null if there is none.
    std::unique_ptr<Connection> take_resting();

    /// A new one. Throws as Connection::open() does.
    boost::asio::awaitable<std::unique_ptr<Connection>> open();

    /// Keeps a connection, if it is of further use and close() was not called.
    void give_back(std::unique_ptr<Connection> connection);

    /// Closes what rests, now and from now on. After it, no timer or socket of the pool keeps an
    /// io_context running.
    void close();

  private:
    Route route_;
    std::size_t most_resting_;
    std::vector<std::unique_ptr<Connection>> resting_;
    bool closed_ = false;
};

}  // namespace mirror::http

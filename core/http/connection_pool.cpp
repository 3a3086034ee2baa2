#include "core/http/connection_pool.hpp"

#include <utility>

namespace mirror::http {

ConnectionPool::ConnectionPool(Route route, std::size_t most_resting)
    : route_(std::move(route)), most_resting_(most_resting) {}

std::unique_ptr<Connection> ConnectionPool::take_resting() {
    while (!resting_.empty()) {
        std::unique_ptr<Connection> connection = std::move(resting_.back());
        resting_.pop_back();
        if (connection->wake()) {
            return connection;
        }
    }
    return nullptr;
}

boost::asio::awaitable<std::unique_ptr<Connection>> ConnectionPool::open() {
    return Connection::open(route_);
}

void ConnectionPool::give_back(std::unique_ptr<Connection> connection) {
    if (closed_ || !connection->is_reusable() || resting_.size() >= most_resting_) {
        return;
    }
    connection->rest();
    resting_.push_back(std::move(connection));
}

void ConnectionPool::close() {
    closed_ = true;
    resting_.clear();
}

}  // namespace mirror::http

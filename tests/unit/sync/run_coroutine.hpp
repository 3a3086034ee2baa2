// Coroutines in tests that are none.
#pragma once

#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace mirror::tests {

/// Runs one coroutine until the loop has nothing left to do.
template <typename T>
T run(boost::asio::io_context& loop, boost::asio::awaitable<T> work) {
    std::exception_ptr failed;
    std::optional<T> result;
    boost::asio::co_spawn(loop, std::move(work), [&](const std::exception_ptr& error, T value) {
        failed = error;
        if (!error) {
            result.emplace(std::move(value));
        }
    });
    loop.restart();
    loop.run();
    if (failed) {
        std::rethrow_exception(failed);
    }
    return std::move(result.value());
}

inline void run(boost::asio::io_context& loop, boost::asio::awaitable<void> work) {
    std::exception_ptr failed;
    boost::asio::co_spawn(loop, std::move(work),
                          [&](const std::exception_ptr& error) { failed = error; });
    loop.restart();
    loop.run();
    if (failed) {
        std::rethrow_exception(failed);
    }
}

}  // namespace mirror::tests

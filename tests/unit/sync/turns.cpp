#include "tests/unit/sync/turns.hpp"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace mirror::tests {

namespace asio = boost::asio;

namespace {

std::uint64_t steps = 0;

}  // namespace

std::uint64_t steps_done() {
    return steps;
}

void count_step() {
    ++steps;
}

asio::awaitable<void> yield() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        throw boost::system::system_error(asio::error::operation_aborted);
    }
}

asio::awaitable<void> yield_always() {
    count_step();
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

}  // namespace mirror::tests

// Waiting for another coroutine of the same loop.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace mirror {

/// A condition variable for coroutines of one thread: wait() in a loop around the condition.
class AsyncCondition {
  public:
    explicit AsyncCondition(const boost::asio::any_io_executor& executor)
        : timer_(executor, boost::asio::steady_timer::time_point::max()) {}

    /// Until the next notify_all(). Throws operation_aborted when the caller is cancelled.
    boost::asio::awaitable<void> wait() {
        boost::system::error_code woken;  // always operation_aborted
        co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
        const auto state = co_await boost::asio::this_coro::cancellation_state;
        if (state.cancelled() != boost::asio::cancellation_type::none) {
            throw boost::system::system_error(boost::asio::error::operation_aborted);
        }
    }

    void notify_all() { timer_.cancel(); }

  private:
    boost::asio::steady_timer timer_;
};

}  // namespace mirror

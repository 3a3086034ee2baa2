#include "core/util/task_group.hpp"

#include <cassert>
#include <chrono>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace mirror {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds tell_again_after(10);

}  // namespace

TaskGroup::TaskGroup(const asio::any_io_executor& executor)
    : executor_(executor), ended_(executor) {}

TaskGroup::~TaskGroup() {
    assert(running_ == 0);
}

void TaskGroup::spawn(asio::awaitable<void> task) {
    signals_.emplace_back();
    ++running_;
    asio::co_spawn(executor_, std::move(task),
                   asio::bind_cancellation_slot(signals_.back().slot(),
                                                [this](const std::exception_ptr& error) {
                                                    --running_;
                                                    if (error && !first_error_) {
                                                        first_error_ = error;
                                                        cancel();
                                                    }
                                                    ended_.notify_all();
                                                }));
}

void TaskGroup::cancel() {
    for (asio::cancellation_signal& signal : signals_) {
        signal.emit(asio::cancellation_type::terminal);
    }
}

asio::awaitable<void> TaskGroup::join() {
    bool cancelled = false;
    while (running_ > 0 && !cancelled && !first_error_) {
        try {
            co_await ended_.wait();
        } catch (const boost::system::system_error&) {
            cancelled = true;
        }
    }
    if (running_ > 0) {
        // From here on our own waiting must not be cut short: the tasks are ours to end. One that
        // is finishing a transaction does not hear, so they are told until they have ended.
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        asio::steady_timer again(executor_);
        while (running_ > 0) {
            cancel();
            again.expires_after(tell_again_after);
            co_await again.async_wait(asio::use_awaitable);
        }
        // A task that goes on after an error can be cancelled again.
        co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    }
    if (cancelled) {
        throw boost::system::system_error(asio::error::operation_aborted);
    }
    if (first_error_) {
        std::rethrow_exception(std::exchange(first_error_, nullptr));
    }
}

}  // namespace mirror

// Several coroutines as one: all end before it ends.
#pragma once

#include <exception>
#include <list>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "core/util/async_condition.hpp"

namespace mirror {

/// Runs coroutines side by side on one thread. The first that throws cancels the others; join()
/// waits for all and rethrows. Nothing is left running behind its back.
class TaskGroup {
  public:
    explicit TaskGroup(const boost::asio::any_io_executor& executor);
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;
    ~TaskGroup();

    void spawn(boost::asio::awaitable<void> task);

    /// Cancels all tasks; they still have to be joined.
    void cancel();

    /// Waits for all tasks, then throws the first task's error. When the caller is cancelled
    /// meanwhile, the tasks are cancelled, waited for, and operation_aborted is thrown.
    boost::asio::awaitable<void> join();

  private:
    boost::asio::any_io_executor executor_;
    AsyncCondition ended_;
    std::list<boost::asio::cancellation_signal> signals_;
    std::size_t running_ = 0;
    std::exception_ptr first_error_;
};

}  // namespace mirror

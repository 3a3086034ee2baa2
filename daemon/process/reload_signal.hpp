// SIGHUP: read the configuration again.
#pragma once

#include <csignal>
#include <functional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/signal_set.hpp>

namespace mirror::daemon {

/// Calls a function on the loop's thread at each SIGHUP, which ends a process otherwise.
class ReloadSignal {
  public:
    ReloadSignal(const boost::asio::any_io_executor& executor, std::function<void()> function)
        : signals_(executor, SIGHUP), function_(std::move(function)) {
        wait();
    }

    /// Nothing keeps the loop running any more.
    void close() { signals_.cancel(); }

  private:
    void wait() {
        signals_.async_wait([this](const boost::system::error_code& error, int) {
            if (!error) {
                function_();
                wait();
            }
        });
    }

    boost::asio::signal_set signals_;
    std::function<void()> function_;
};

}  // namespace mirror::daemon

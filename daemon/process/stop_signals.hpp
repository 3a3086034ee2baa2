// SIGINT and SIGTERM as an orderly end.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

namespace mirror::daemon {

/// Waits for the signals, gives the work the time that it asks for, and cancels it. The
/// cancellation is repeated until close(): one that meets a coroutine while it finishes a
/// transaction is lost. Another signal, or the same one half a second later, ends the process at
/// once.
class StopSignals {
  public:
    explicit StopSignals(const boost::asio::any_io_executor& executor);

    /// The slot for the work's coroutine.
    boost::asio::cancellation_slot slot() { return cancel_.slot(); }

    /// Is called once, when the first signal has come.
    void on_first(std::function<void()> function) { on_first_ = std::move(function); }

    /// Is called once after that: how long the work may take to end by itself before it is
    /// cancelled.
    void grace(std::function<std::chrono::milliseconds()> function) {
        grace_ = std::move(function);
    }

    /// The signal that came first.
    std::optional<int> caught() const { return caught_; }

    /// The work has ended: nothing is waited for any more.
    void close();

  private:
    void wait();
    void cancel();
    void cancel_after(std::chrono::milliseconds pause);

    boost::asio::signal_set signals_;
    boost::asio::steady_timer again_;
    boost::asio::cancellation_signal cancel_;
    std::function<void()> on_first_;
    std::function<std::chrono::milliseconds()> grace_;
    std::optional<int> caught_;
    std::chrono::steady_clock::time_point caught_at_{};
    bool closed_ = false;
};

}  // namespace mirror::daemon

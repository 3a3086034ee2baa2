// "WATCHDOG=1", as long as the program makes progress.
#pragma once

#include <chrono>
#include <functional>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/service/service_manager.hpp"
#include "daemon/service/storage_progress.hpp"
#include "storage/sqlite/activity.hpp"

namespace mirror::daemon {

/// Feeds the service manager's watchdog by a timer of the loop, so that a loop that hangs does not;
/// and only while the storage's thread makes progress, too. It looks four times as often as it
/// must, and calls `held_up` at each look.
class WatchdogFeeder {
  public:
    /// All must outlive it. Does nothing if the manager does not watch.
    WatchdogFeeder(const boost::asio::any_io_executor& executor, ServiceManager& manager,
                   std::function<storage::Activity()> activity, std::function<void(bool)> held_up);

    /// Leaves nothing behind that would keep the loop running.
    void close();

  private:
    void wait();
    void look();

    ServiceManager& manager_;
    std::function<storage::Activity()> activity_;
    std::function<void(bool)> held_up_;
    std::chrono::microseconds interval_{};
    boost::asio::steady_timer timer_;
    StorageProgress progress_;
    bool closed_ = false;
};

}  // namespace mirror::daemon

#include "daemon/service/watchdog_feeder.hpp"

#include <utility>

namespace mirror::daemon {
namespace {

// Half of the time is what sd_watchdog_enabled(3) recommends. Half of that, so that a storage that
// did not move at one look has a second chance before the time is over.
constexpr int looks_in_time = 4;

}  // namespace

WatchdogFeeder::WatchdogFeeder(const boost::asio::any_io_executor& executor,
                               ServiceManager& manager, std::function<storage::Activity()> activity,
                               std::function<void(bool)> held_up)
    : manager_(manager),
      activity_(std::move(activity)),
      held_up_(std::move(held_up)),
      timer_(executor) {
    if (const auto patience = manager_.watchdog()) {
        interval_ = *patience / looks_in_time;
        wait();
    }
}

void WatchdogFeeder::close() {
    closed_ = true;
    timer_.cancel();
}

void WatchdogFeeder::wait() {
    timer_.expires_after(interval_);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error && !closed_) {
            look();
            wait();
        }
    });
}

void WatchdogFeeder::look() {
    const bool moves = progress_.moves(activity_());
    held_up_(!moves);
    if (moves) {
        manager_.notify("WATCHDOG=1");
    }
}

}  // namespace mirror::daemon

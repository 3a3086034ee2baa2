#include "daemon/process/stop_signals.hpp"

#include <csignal>
#include <cstdlib>

namespace mirror::daemon {
namespace {

constexpr std::chrono::milliseconds repeat_after(50);

// `timeout` signals the process and then its group, which is the process again: the same signal
// that follows so closely is part of one request.
constexpr std::chrono::milliseconds one_request(500);

}  // namespace

StopSignals::StopSignals(const boost::asio::any_io_executor& executor)
    : signals_(executor, SIGINT, SIGTERM), again_(executor) {
    wait();
}

void StopSignals::close() {
    closed_ = true;
    signals_.cancel();
    again_.cancel();
}

void StopSignals::wait() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
        if (error || closed_) {
            return;
        }
        const auto now = std::chrono::steady_clock::now();
        if (caught_ == signal && now - caught_at_ < one_request) {
            wait();
            return;
        }
        if (caught_) {
            // Asked twice: at once. The file is sound at any moment.
            std::_Exit(128 + signal);
        }
        caught_ = signal;
        caught_at_ = now;
        if (on_first_) {
            on_first_();
        }
        const auto pause = grace_ ? grace_() : std::chrono::milliseconds(0);
        if (pause.count() > 0) {
            cancel_after(pause);
        } else {
            cancel();
        }
        wait();
    });
}

void StopSignals::cancel() {
    if (closed_) {
        return;
    }
    cancel_.emit(boost::asio::cancellation_type::terminal);
    cancel_after(repeat_after);
}

void StopSignals::cancel_after(std::chrono::milliseconds pause) {
    again_.expires_after(pause);
    again_.async_wait([this](const boost::system::error_code& error) {
        if (!error) {
            cancel();
        }
    });
}

}  // namespace mirror::daemon

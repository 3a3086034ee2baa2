#include "daemon/cli/waiting_notice.hpp"

#include <utility>

#include <fmt/format.h>

namespace mirror::daemon {

std::string waiting_text(std::chrono::seconds waited, const std::optional<std::string>& why) {
    std::string text = fmt::format("waiting for the API for {} s", waited.count());
    if (why) {
        text += "; last: " + *why;
    }
    return text;
}

WaitingNotice::WaitingNotice(const boost::asio::any_io_executor& executor, ProgressDisplay& display,
                             std::chrono::milliseconds patience, std::chrono::milliseconds interval)
    : display_(display), patience_(patience), interval_(interval), timer_(executor) {}

void WaitingNotice::request_begun() {
    if (since_ || closed_ || !display_.is_watched()) {
        return;
    }
    since_ = std::chrono::steady_clock::now();
    wait(patience_);
}

void WaitingNotice::request_ended(copernica::RequestOutcome outcome, std::chrono::nanoseconds) {
    if (outcome == copernica::RequestOutcome::ok) {
        answered();
    }
}

void WaitingNotice::answered() {
    if (since_) {
        since_.reset();
        timer_.cancel();
    }
    if (std::exchange(said_, false)) {
        display_.waited();
    }
    why_.reset();
}

void WaitingNotice::wait(std::chrono::milliseconds duration) {
    timer_.expires_after(duration);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error || !since_) {
            return;
        }
        said_ = true;
        display_.waiting(waiting_text(
            std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - *since_),
            why_));
        wait(interval_);
    });
}

void WaitingNotice::close() {
    closed_ = true;
    since_.reset();
    timer_.cancel();
}

}  // namespace mirror::daemon

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

std::string connecting_text(const std::string& host, std::chrono::seconds waited) {
    return fmt::format("connecting to {} … ({} s)", host, waited.count());
}

WaitingNotice::WaitingNotice(const boost::asio::any_io_executor& executor, ProgressDisplay& display,
                             std::string host, std::chrono::milliseconds patience,
                             std::chrono::milliseconds interval)
    : display_(display),
      host_(std::move(host)),
      patience_(patience),
      interval_(interval),
      timer_(executor) {}

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
    answered_once_ = true;
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
        const auto waited =
            std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - *since_);
        display_.waiting(answered_once_ || why_ ? waiting_text(waited, why_)
                                                : connecting_text(host_, waited));
        wait(interval_);
    });
}

void WaitingNotice::close() {
    closed_ = true;
    since_.reset();
    timer_.cancel();
}

}  // namespace mirror::daemon

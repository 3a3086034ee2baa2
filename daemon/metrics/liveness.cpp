#include "daemon/metrics/liveness.hpp"

#include <chrono>
#include <utility>

namespace mirror::daemon {
namespace {

constexpr std::chrono::seconds interval(15);
constexpr int most_looks_without_progress = 8;  // two minutes

}  // namespace

void StandstillCounter::look(const storage::Activity& now) {
    looks_without_progress_ = progress_.moves(now) ? 0 : looks_without_progress_ + 1;
}

bool StandstillCounter::stands_still() const {
    return looks_without_progress_ >= most_looks_without_progress;
}

Liveness::Liveness(const boost::asio::any_io_executor& executor,
                   std::function<storage::Activity()> activity)
    : timer_(executor), activity_(std::move(activity)) {
    wait();
}

std::optional<std::string> Liveness::why_not() const {
    if (counter_.stands_still()) {
        return "the database has made no progress for two minutes: the disk hangs, or another "
               "program holds the file";
    }
    return std::nullopt;
}

void Liveness::close() {
    closed_ = true;
    timer_.cancel();
}

void Liveness::wait() {
    timer_.expires_after(interval);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error && !closed_) {
            counter_.look(activity_());
            wait();
        }
    });
}

}  // namespace mirror::daemon

#include "tests/soak/virtual_clock.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace mirror::soak {

namespace asio = boost::asio;

struct VirtualClock::Alarm {
    explicit Alarm(const asio::any_io_executor& executor)
        : timer(executor, asio::steady_timer::time_point::max()) {}
    asio::steady_timer timer;
};

asio::awaitable<void> VirtualClock::sleep(std::chrono::milliseconds duration) {
    const auto alarm = std::make_shared<Alarm>(co_await asio::this_coro::executor);
    // Whoever was cancelled does not make time pass: the alarm is gone with its sleeper.
    const std::weak_ptr<Alarm> held = alarm;
    call_after(duration, [held] {
        if (const auto sleeper = held.lock()) {
            sleeper->timer.cancel();
        }
    });
    boost::system::error_code woken;  // always operation_aborted
    co_await alarm->timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        throw boost::system::system_error(asio::error::operation_aborted);
    }
}

void VirtualClock::call_after(std::chrono::milliseconds duration, std::function<void()> then) {
    waiting_.emplace(passed_ + std::max(duration, std::chrono::milliseconds(0)), std::move(then));
}

bool VirtualClock::pass() {
    if (waiting_.empty()) {
        return false;
    }
    const auto next = waiting_.begin();
    passed_ = std::max(passed_, next->first);
    const std::function<void()> then = std::move(next->second);
    waiting_.erase(next);
    then();
    return true;
}

}  // namespace mirror::soak

#include "core/util/deadline.hpp"

#include <cstdint>
#include <utility>

#include <boost/asio/steady_timer.hpp>

namespace mirror {

struct Deadline::State {
    State(boost::asio::any_io_executor executor, std::function<void()> function)
        : timer(std::move(executor)), bite(std::move(function)) {}

    boost::asio::steady_timer timer;
    std::function<void()> bite;  // empty once the watchdog is gone
    Time deadline{};
    bool armed = false;
    bool bitten = false;
    // A handler that was on its way already when the timer was set anew is told by its number.
    std::uint64_t wait = 0;
};

Deadline::Deadline(boost::asio::any_io_executor executor, std::function<void()> bite)
    : state_(std::make_shared<State>(std::move(executor), std::move(bite))) {}

Deadline::~Deadline() {
    state_->bite = nullptr;
    off();
}

bool Deadline::expired() const {
    return state_->bitten;
}

void Deadline::arm(const std::shared_ptr<State>& state) {
    state->armed = true;
    const std::uint64_t wait = ++state->wait;
    state->timer.expires_at(state->deadline);
    state->timer.async_wait([state, wait](const boost::system::error_code&) {
        if (wait != state->wait || !state->armed) {
            return;
        }
        if (std::chrono::steady_clock::now() < state->deadline) {
            arm(state);
            return;
        }
        state->armed = false;
        state->bitten = true;
        if (state->bite) {
            state->bite();
        }
    });
}

void Deadline::expires_at(Time time) {
    state_->deadline = time;
    if (!state_->armed || time < state_->timer.expiry()) {
        arm(state_);
    }
}

void Deadline::off() {
    state_->armed = false;
    state_->timer.cancel();
}

}  // namespace mirror

#include "core/sync/gate.hpp"

#include <algorithm>
#include <utility>

#include "core/sync/backoff.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

using std::chrono::milliseconds;

// Leaves the queue when its coroutine goes on, throws or is cancelled.
class Place {
  public:
    Place(std::deque<std::uint64_t>& queue, std::uint64_t ticket, Wakeup& changed)
        : queue_(queue), ticket_(ticket), changed_(changed) {
        queue_.push_back(ticket_);
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
        std::erase(queue_, ticket_);
        changed_.wake_all();
    }
    bool first() const { return queue_.front() == ticket_; }

  private:
    std::deque<std::uint64_t>& queue_;
    std::uint64_t ticket_;
    Wakeup& changed_;
};

}  // namespace

Gate::Gate(const asio::any_io_executor& executor, Clock& clock, const Limits& limits,
           std::uint64_t jitter_seed)
    : clock_(clock), limits_(limits), jitter_(jitter_seed), changed_(executor) {}

// How long the first in the queue has to wait; nothing where it may go.
std::optional<milliseconds> Gate::pause() const {
    const Monotonic now = clock_.monotonic();
    Monotonic earliest = not_before_;
    if (recent_.size() >= limits_.requests_per_second) {
        earliest = std::max(earliest, recent_.front() + std::chrono::seconds(1));
    }
    if (earliest <= now) {
        return std::nullopt;
    }
    return std::chrono::ceil<milliseconds>(earliest - now);
}

asio::awaitable<Gate::Pass> Gate::enter() {
    const Place place(queue_, next_ticket_++, changed_);
    for (;;) {
        const unsigned most = failures_in_a_row_ > 0 ? 1 : limits_.connections;
        if (!place.first() || under_way_ >= most) {
            co_await changed_.wait();
        } else if (const auto wait = pause()) {
            co_await clock_.sleep(*wait);
        } else {
            break;
        }
    }
    recent_.push_back(clock_.monotonic());
    if (recent_.size() > limits_.requests_per_second) {
        recent_.pop_front();
    }
    ++requests_;
    co_return Pass(*this);
}

milliseconds Gate::failing_for() const {
    if (!failing_since_) {
        return milliseconds(0);
    }
    return std::chrono::floor<milliseconds>(clock_.monotonic() - *failing_since_);
}

Gate::Pass::Pass(Gate& gate) : gate_(&gate), failures_at_entry_(gate.failures_) {
    ++gate_->under_way_;
}

Gate::Pass::Pass(Pass&& other) noexcept
    : gate_(std::exchange(other.gate_, nullptr)), failures_at_entry_(other.failures_at_entry_) {}

Gate::Pass::~Pass() {
    if (gate_ != nullptr) {
        --gate_->under_way_;
        gate_->changed_.wake_all();
    }
}

void Gate::Pass::succeeded() {
    ++gate_->successes_;
    gate_->failures_in_a_row_ = 0;
    gate_->failing_since_.reset();
}

void Gate::Pass::failed(std::optional<std::chrono::seconds> retry_after) {
    const Monotonic now = gate_->clock_.monotonic();
    if (!gate_->failing_since_) {
        gate_->failing_since_ = now;
    }
    // Requests that were under way together fail together: that is one failure.
    if (gate_->failures_ == failures_at_entry_) {
        ++gate_->failures_in_a_row_;
        ++gate_->failures_;
    }
    std::uniform_real_distribution<double> even(0.0, 1.0);
    const auto wait = Backoff::wait(gate_->failures_in_a_row_, even(gate_->jitter_), retry_after);
    gate_->not_before_ = std::max(gate_->not_before_, now + wait);
}

}  // namespace mirror::sync

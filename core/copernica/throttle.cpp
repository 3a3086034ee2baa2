#include "core/copernica/throttle.hpp"

#include <algorithm>
#include <utility>

#include "core/copernica/backoff.hpp"

namespace mirror::copernica {

namespace asio = boost::asio;

namespace {

using std::chrono::milliseconds;

// Leaves the queue when its coroutine goes on, throws or is cancelled.
class Ticket {
  public:
    Ticket(std::deque<std::uint64_t>& queue, std::uint64_t ticket, AsyncCondition& changed)
        : queue_(queue), ticket_(ticket), changed_(changed) {
        queue_.push_back(ticket_);
    }
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    ~Ticket() {
        std::erase(queue_, ticket_);
        changed_.notify_all();
    }
    bool first() const { return queue_.front() == ticket_; }

  private:
    std::deque<std::uint64_t>& queue_;
    std::uint64_t ticket_;
    AsyncCondition& changed_;
};

}  // namespace

Throttle::Throttle(const asio::any_io_executor& executor, Clock& clock, const Limits& limits,
                   std::uint64_t jitter_seed)
    : clock_(clock), limits_(limits), jitter_(jitter_seed), changed_(executor) {}

// How long the first in the queue has to wait; nothing where it may go.
std::optional<milliseconds> Throttle::pause() const {
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

asio::awaitable<Throttle::Permit> Throttle::enter() {
    const Ticket place_in_line(queue_, next_ticket_++, changed_);
    for (;;) {
        const unsigned most = failures_in_a_row_ > 0 ? 1 : limits_.connections;
        if (!place_in_line.first() || under_way_ >= most) {
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
    co_return Permit(*this);
}

milliseconds Throttle::failing_for() const {
    if (!failing_since_) {
        return milliseconds(0);
    }
    return std::chrono::floor<milliseconds>(clock_.monotonic() - *failing_since_);
}

Throttle::Permit::Permit(Throttle& throttle)
    : throttle_(&throttle), failures_at_entry_(throttle.failures_) {
    ++throttle_->under_way_;
}

Throttle::Permit::Permit(Permit&& other) noexcept
    : throttle_(std::exchange(other.throttle_, nullptr)),
      failures_at_entry_(other.failures_at_entry_) {}

Throttle::Permit::~Permit() {
    if (throttle_ != nullptr) {
        --throttle_->under_way_;
        throttle_->changed_.notify_all();
    }
}

void Throttle::Permit::succeeded() {
    ++throttle_->successes_;
    throttle_->failures_in_a_row_ = 0;
    throttle_->failing_since_.reset();
}

void Throttle::Permit::failed(std::optional<std::chrono::seconds> retry_after) {
    const Monotonic now = throttle_->clock_.monotonic();
    if (!throttle_->failing_since_) {
        throttle_->failing_since_ = now;
    }
    // Requests that were under way together fail together: that is one failure.
    if (throttle_->failures_ == failures_at_entry_) {
        ++throttle_->failures_in_a_row_;
        ++throttle_->failures_;
    }
    std::uniform_real_distribution<double> even(0.0, 1.0);
    const auto wait =
        Backoff::wait(throttle_->failures_in_a_row_, even(throttle_->jitter_), retry_after);
    throttle_->not_before_ = std::max(throttle_->not_before_, now + wait);
}

}  // namespace mirror::copernica

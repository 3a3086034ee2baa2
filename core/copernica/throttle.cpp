#include "core/copernica/throttle.hpp"

#include <algorithm>
#include <utility>

#include "core/copernica/backoff.hpp"

namespace mirror::copernica {

namespace asio = boost::asio;

namespace {

using std::chrono::milliseconds;

// A success elsewhere ends a pause early, so whoever waits looks at least this often.
constexpr milliseconds longest_nap(5000);

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
    : clock_(clock),
      limits_(limits),
      jitter_(jitter_seed),
      changed_(executor),
      rate_(limits.requests_per_second) {}

Monotonic Throttle::held_until(Lane lane) const {
    return std::max(state(lane).not_before, asked_to_wait_until_);
}

// How long until then; nothing if it is now.
std::optional<milliseconds> Throttle::until(Monotonic moment) const {
    const Monotonic now = clock_.monotonic();
    if (moment <= now) {
        return std::nullopt;
    }
    return std::chrono::ceil<milliseconds>(moment - now);
}

// Whether the lane's first in line has a connection.
bool Throttle::may_enter(Lane lane) const {
    const LaneState& tail = state(Lane::tail);
    const LaneState& own = state(lane);
    unsigned most = limits_.connections;
    if (lane == Lane::backlog) {
        if (tail_has_connection_ && most > 1) {
            --most;
        }
        // One that has to wait for its own request lets the backlog through.
        const bool tail_is_next =
            !tail.waiting.empty() && may_enter(Lane::tail) && !until(held_until(Lane::tail));
        if (tail_is_next) {
            return false;
        }
    }
    const unsigned all = tail.under_way + state(Lane::backlog).under_way;
    return all < limits_.connections && own.under_way < (own.failures_in_a_row > 0 ? 1 : most);
}

// Whether the next request is this lane's. A tail that pauses lets the backlog through.
bool Throttle::may_pass(Lane lane) const {
    return lane == Lane::tail || state(Lane::tail).passing.empty() ||
           until(held_until(Lane::tail)).has_value();
}

asio::awaitable<Throttle::Permit> Throttle::enter(Lane lane) {
    const Ticket place_in_line(state(lane).waiting, next_ticket_++, changed_);
    for (;;) {
        if (!place_in_line.first() || !may_enter(lane)) {
            co_await changed_.wait();
        } else if (const auto wait = until(held_until(lane))) {
            co_await clock_.sleep(std::min(*wait, longest_nap));
        } else {
            break;
        }
    }
    co_return Permit(*this, lane);
}

asio::awaitable<void> Throttle::Permit::pass() {
    Throttle& owner = *throttle_;
    const Ticket place_in_line(owner.state(lane_).passing, owner.next_ticket_++, owner.changed_);
    for (;;) {
        if (!place_in_line.first() || !owner.may_pass(lane_)) {
            co_await owner.changed_.wait();
        } else if (const auto wait =
                       owner.until(std::max(owner.rate_.next(), owner.held_until(lane_)))) {
            co_await owner.clock_.sleep(std::min(*wait, longest_nap));
        } else {
            break;
        }
    }
    owner.rate_.went(owner.clock_.monotonic());
    ++owner.requests_;
}

void Throttle::end_pauses() {
    for (LaneState& lane : lanes_) {
        lane.not_before = Monotonic{};
    }
    changed_.notify_all();
}

milliseconds Throttle::pause_after(unsigned failures) {
    std::uniform_real_distribution<double> even(0.0, 1.0);
    return Backoff::wait(failures, even(jitter_));
}

milliseconds Throttle::failing_for() const {
    if (!failing_since_) {
        return milliseconds(0);
    }
    return std::chrono::floor<milliseconds>(clock_.monotonic() - *failing_since_);
}

Throttle::Permit::Permit(Throttle& throttle, Lane lane)
    : throttle_(&throttle),
      lane_(lane),
      failures_at_entry_(throttle.state(lane).failures),
      slowdowns_at_entry_(throttle.slowdowns_) {
    ++throttle_->state(lane_).under_way;
}

Throttle::Permit::Permit(Permit&& other) noexcept
    : throttle_(std::exchange(other.throttle_, nullptr)),
      lane_(other.lane_),
      failures_at_entry_(other.failures_at_entry_),
      slowdowns_at_entry_(other.slowdowns_at_entry_) {}

Throttle::Permit::~Permit() {
    if (throttle_ != nullptr) {
        --throttle_->state(lane_).under_way;
        throttle_->changed_.notify_all();
    }
}

// The API answers, so no lane has to wait for it.
void Throttle::Permit::succeeded() {
    ++throttle_->successes_;
    throttle_->failing_since_.reset();
    throttle_->rate_.succeeded();
    for (LaneState& lane : throttle_->lanes_) {
        lane.failures_in_a_row = 0;
        lane.not_before = Monotonic{};
    }
}

void Throttle::Permit::failed(std::optional<std::chrono::seconds> retry_after, Scope scope) {
    const Monotonic now = throttle_->clock_.monotonic();
    if (!throttle_->failing_since_) {
        throttle_->failing_since_ = now;
    }
    if (retry_after) {
        throttle_->asked_to_wait_until_ =
            std::max(throttle_->asked_to_wait_until_, now + Backoff::asked(*retry_after));
    }
    if (scope == Scope::request) {
        return;
    }
    LaneState& lane = throttle_->state(lane_);
    // Requests that were under way together fail together: that is one failure.
    if (lane.failures == failures_at_entry_) {
        ++lane.failures_in_a_row;
        ++lane.failures;
    }
    const auto wait = throttle_->pause_after(lane.failures_in_a_row);
    lane.not_before = std::max(lane.not_before, now + wait);
    throttle_->changed_.notify_all();
}

void Throttle::Permit::too_fast(std::optional<std::chrono::seconds> retry_after) {
    // The same for requests that were under way together.
    if (throttle_->slowdowns_ == slowdowns_at_entry_) {
        ++throttle_->slowdowns_;
        throttle_->rate_.too_fast();
    }
    failed(retry_after);
}

}  // namespace mirror::copernica

#include "core/sync/request_ledger.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// With a limit, requests are taken from the file in blocks of so many at the most, and of this part
// of what is left, so that several processes share what is left at last.
constexpr std::int64_t largest_block = 16;
constexpr std::int64_t part_of_rest = 32;

// Without one, they are written down so often: a poll has little to write, and an hour of them is
// sixty requests.
constexpr std::int64_t most_unwritten = 256;
constexpr std::chrono::hours flush_interval(1);
constexpr std::chrono::minutes longest_delay(10);

Instant day_of(Instant at) {
    return Instant(std::chrono::floor<std::chrono::days>(at));
}

}  // namespace

asio::awaitable<void> RequestLedger::open() {
    if (std::exchange(open_, true)) {
        co_return;
    }
    const Instant now = clock_.utc();
    // A budget that is used up already lets nothing through, but what was asked has been asked.
    const std::int64_t asked = std::exchange(unwritten_, 0);
    const RequestsToday today = co_await store_.spend_requests(now, asked, 0);
    day_ = day_of(now);
    used_ = today.total;
    flush_at_ = clock_.monotonic() + flush_interval;
}

asio::awaitable<void> RequestLedger::refuse_if_spent() {
    if (open_ || limit_ == 0) {
        co_return;
    }
    const RequestsToday today = co_await store_.spend_requests(clock_.utc(), 0, limit_);
    if (today.total + static_cast<std::uint64_t>(unwritten_) >= limit_) {
        throw BudgetSpent(why_spent());
    }
}

asio::awaitable<void> RequestLedger::spend() {
    if (!open_) {
        ++unwritten_;
        co_return;
    }
    if (limit_ == 0) {
        const Instant today = day_of(clock_.utc());
        if (day_ != today) {
            const Instant before = std::exchange(day_, today);
            co_await write(before, std::exchange(unwritten_, 0));
        }
        ++unwritten_;
        if (unwritten_ >= most_unwritten) {
            co_await flush();
        }
        co_return;
    }
    if (in_hand_ == 0 || day_ != day_of(clock_.utc())) {
        co_await take_block();
    }
    if (in_hand_ == 0) {
        throw BudgetSpent(why_spent());
    }
    --in_hand_;
}

asio::awaitable<void> RequestLedger::take_block() {
    const Instant now = clock_.utc();
    co_await write(day_, -std::exchange(in_hand_, 0));  // of yesterday, if there are any
    const auto left = static_cast<std::int64_t>(limit_ - std::min(used_, limit_));
    const bool same_day = day_ == day_of(now);
    const std::int64_t wanted =
        same_day ? std::clamp<std::int64_t>(left / part_of_rest, 1, largest_block) : 1;
    const RequestsToday today = co_await store_.spend_requests(now, wanted, limit_);
    day_ = day_of(now);
    used_ = today.total;
    in_hand_ += today.granted;
}

asio::awaitable<void> RequestLedger::flush() {
    if (!open_) {
        co_return;
    }
    const std::int64_t change = std::exchange(unwritten_, 0) - std::exchange(in_hand_, 0);
    flush_at_ = clock_.monotonic() + flush_interval;
    co_await write(day_, change);
}

asio::awaitable<void> RequestLedger::write(Instant day, std::int64_t change) {
    if (change == 0) {
        co_return;
    }
    try {
        const RequestsToday written = co_await store_.spend_requests(day, change, 0);
        if (day == day_) {
            used_ = written.total;
        }
    } catch (...) {
        if (day == day_ && change > 0) {
            unwritten_ += change;  // for the next time
        }
        throw;
    }
}

asio::awaitable<void> RequestLedger::flush_if_due(bool beside_much) {
    const Monotonic due = flush_at_ + (beside_much ? longest_delay : std::chrono::minutes(0));
    if (limit_ == 0 && clock_.monotonic() >= due) {
        co_await flush();
    }
}

plan::BudgetState RequestLedger::state(Seconds poll_interval, std::uint64_t at_work) const {
    plan::BudgetState state;
    const Instant now = clock_.utc();
    state.limit = limit_;
    state.used = day_ == day_of(now)
                     ? used_ - std::min<std::uint64_t>(used_, static_cast<std::uint64_t>(in_hand_))
                     : 0;
    state.left_of_day = plan::left_of_day(now);
    state.poll_interval = poll_interval;
    state.streams = streams_;
    state.at_work = at_work;
    return state;
}

std::string RequestLedger::why_spent() const {
    return fmt::format(
        "the budget of {} requests a day ([api] requests_per_day) is used up, or kept for what is "
        "new; it goes on at 00:00 UTC",
        limit_);
}

}  // namespace mirror::sync

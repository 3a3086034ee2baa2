#include "core/sync/tail_follower.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/plan/tail_plan.hpp"
#include "core/sync/horizon.hpp"
#include "core/sync/metadata.hpp"
#include "core/sync/preflight.hpp"
#include "core/sync/tail.hpp"
#include "core/time/text.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

bool TailFollower::take_late_rows_due() {
    return std::exchange(late_rows_due_, false);
}

// The same text each time: it is told of once.
std::string TailFollower::not_begun(const Window& wanted) const {
    const Zone& zone = context_.settings.zone;
    return fmt::format(
        "the configured start, {} ({}), is in the future by the API's clock; nothing is fetched "
        "before then",
        format_local(zone.to_local(wanted.begin)), zone.name());
}

asio::awaitable<void> TailFollower::poll() {
    FollowedWork& tail = report_.tail();
    co_await report_.begin_next(tail);
    co_await learn_erased_before(context_);
    const Window wanted = context_.everything();
    if (wanted.empty()) {
        tail.trouble = not_begun(wanted);
        co_await report_.conclude(tail);
        co_return;
    }
    report_.set_wanted(wanted);
    co_await context_.store.set_fact(metadata::wanted_from, metadata::seconds_text(wanted.begin));
    const WindowSet covered = co_await context_.store.coverage(0);
    const Instant mark = covered.empty() ? wanted.end - first_tail : covered.windows().back().end;
    const Window since_mark{std::max(wanted.begin, mark), wanted.end};
    const Seconds reach = co_await read(since_mark, wanted.begin, covered);
    co_await cut_back_coverage(context_);
    tail.trouble.reset();
    co_await report_.conclude(tail);
    co_await warn_of_machine_clock(context_);
    co_await context_.requests.flush_if_due(reach > Seconds(0));
}

// What is new, and as much of what is not as the page has room for. Returns how far back that was.
asio::awaitable<Seconds> TailFollower::read(Window wanted, Instant earliest,
                                            const WindowSet& covered) {
    FollowedWork& tail = report_.tail();
    std::optional<PastTurns::Turn> turn;
    Seconds reach{0};
    const bool held_up = turns_.round_at_work() || tail.trouble;
    if (!held_up) {
        turns_.begin_poll(turn);
        reach = co_await choose_reach(wanted.end);
    }
    if (reach == Seconds(0)) {
        turn.reset();
    }
    turns_.let_poll_wait(false);
    co_await catch_up(context_, wanted, earliest, report_.postponed(), tail.outcome,
                      copernica::Lane::tail, reach);
    pace_.polled(tail.outcome.written.inserted > 0);
    const Monotonic now = context_.clock.monotonic();
    // A tail does not reach back over a gap. What is behind it is counted instead.
    const Seconds unbroken =
        plan::unbroken_reach(covered, report_.postponed(), {earliest, wanted.end});
    reach_.reached(std::min(reach, unbroken), now);
    if (reach > unbroken) {
        reach_.did_not_fit(reach, now);
        late_rows_due_ |= reach >= late_rows_reach;
    }
    const std::vector<Seconds> still_due = reach_.due(now);
    turns_.let_poll_wait(held_up && !still_due.empty() && still_due.front() >= late_rows_reach);
    co_return reach;
}

asio::awaitable<Seconds> TailFollower::choose_reach(Instant end) {
    const Zone& zone = context_.settings.zone;
    const Monotonic now = context_.clock.monotonic();
    for (const Seconds reach : reach_.due(now)) {
        const std::uint64_t rows =
            co_await context_.store.count(zone.to_local(end - reach), zone.to_local(end));
        if (plan::PollReach::fits(reach, rows, context_.adaptive.page_size.now())) {
            co_return reach;
        }
        reach_.did_not_fit(reach, now);
        late_rows_due_ |= reach == late_rows_reach;
    }
    co_return Seconds(0);
}

}  // namespace mirror::sync

#include "core/sync/backlog.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/plan/request_budget.hpp"
#include "core/sync/audit.hpp"
#include "core/sync/gap_filler.hpp"
#include "core/sync/retention.hpp"
#include "core/sync/sweep.hpp"
#include "core/sync/tail.hpp"
#include "core/sync/verifier.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// Counts that differ are compared again after so long.
constexpr std::chrono::hours second_count_pause(1);

// Late rows are counted again after so long if an audit could not settle the difference.
constexpr std::chrono::hours unsettled_pause(6);

}  // namespace

asio::awaitable<void> Backlog::round(Monotonic due) {
    co_await turns_.until_round_may_begin();
    const PastTurns::Turn turn = turns_.begin_round();
    co_await read(due);
    held_back_ = report_.backlog().outcome.held_back;
}

// Until `due`: the past, newest first, and what is due for a recheck.
asio::awaitable<void> Backlog::read(Monotonic due) {
    FollowedWork& backlog = report_.backlog();
    co_await report_.begin_next(backlog);
    report_.retry_postponed_when_due();
    co_await erase_old(context_, due);
    const Window wanted = context_.everything();
    if (wanted.empty()) {
        co_return;
    }
    // What follows is the tail's, however far that comes meanwhile.
    const Instant end = co_await tail_begin(context_, wanted);
    const WindowSet covered = co_await context_.store.coverage(0);
    FillRequest missing{WindowSet({wanted.begin, std::max(wanted.begin, end)})};
    missing.todo.subtract(covered);
    missing.stop_after = due;
    missing.meter = &past_;
    const bool complete = missing.todo.empty();
    WindowSet left_alone = report_.postponed();
    missing.todo.subtract(left_alone);
    co_await fill_gaps(context_, std::move(missing), backlog.outcome);
    if (complete && backlog.outcome.unread.empty()) {
        const Window past{wanted.begin, end};
        co_await count_when_due(past);
    }
    co_await look_for_late_rows(end);
    left_alone.add({end, Instant::max()});
    co_await recheck(context_, following_since_, due, left_alone, backlog.outcome);
    co_await sweep(context_, due, left_alone, backlog.outcome);
    co_await cut_kept(context_, due);
    // Commands that end by themselves verify this at their end; here a recheck reads it again.
    context_.adaptive.emptiness.take_unverified();
    backlog.trouble.reset();
    co_await report_.conclude(backlog);
}

// One count tells whether anything came late in the last hours; if it differs, an audit finds the
// place. What is later than `end` is the tail's.
asio::awaitable<void> Backlog::look_for_late_rows(Instant end) {
    const Monotonic now = context_.clock.monotonic();
    if (now < count_late_at_ || !plan::may_begin(plan::Purpose::recheck, context_.budget()) ||
        !tail_.take_late_rows_due()) {
        co_return;
    }
    const WindowSet covered = co_await context_.store.coverage(0);
    const Instant begin = std::max(end - late_rows_reach, context_.everything().begin);
    WindowSet recent = covered.within({begin, end});
    recent.subtract(report_.postponed());
    AuditOptions options;
    options.repair = true;
    options.as_one = true;
    options.bounds = bounds_;
    Audit audit(context_, options);
    const AuditReport report = co_await audit.run(std::move(recent));
    bounds_ = audit.bounds();
    report_.backlog().outcome.written += report.written;
    if (!report.places.empty() && !report.repaired) {
        count_late_at_ = now + unsettled_pause;
    }
}

// `past`: what is not the tail's.
asio::awaitable<void> Backlog::count_when_due(Window past) {
    if (context_.clock.monotonic() < count_at_) {
        co_return;
    }
    Verifier verifier(context_, report_.postponed(), report_.backlog().outcome);
    verifier.leave_to_tail(past.end);
    const bool due = co_await verifier.count_is_due();
    if (due || context_.adaptive.expiry_suspected) {
        // Not sooner, however the comparison ends.
        count_at_ = context_.clock.monotonic() + second_count_pause;
        co_await verifier.compare_counts(past.begin);
    }
}

}  // namespace mirror::sync

#include "core/sync/follow_report.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "core/sync/metadata.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// What could not be read is tried again after so long.
constexpr std::chrono::hours second_try_pause(1);

// How often the file is told of the run so far.
constexpr std::chrono::hours record_interval(1);

}  // namespace

asio::awaitable<void> FollowReport::ended(RunRecorder::Ending ending) {
    co_await recorder_.ended(so_far(), std::move(ending));
}

// The run as far as it is: everything that was written, and what still could not be read.
Outcome FollowReport::so_far() const {
    Outcome outcome;
    outcome.period = wanted_;
    outcome.written = written_;
    outcome.written += tail_.outcome.written;
    outcome.written += backlog_.outcome.written;
    outcome.unread = unread_.unread();
    return outcome;
}

asio::awaitable<void> FollowReport::begin_next(FollowedWork& work) {
    if (!work.outcome.unread.empty()) {
        const WindowSet covered = co_await context_.store.coverage(0);
        note_unread(work.outcome, covered);
    }
    written_ += work.outcome.written;
    work.outcome = Outcome{};
}

void FollowReport::note_unread(Outcome& outcome, const WindowSet& covered) {
    if (unread_.note(std::exchange(outcome.unread, {}), covered)) {
        retry_unread_at_ = context_.clock.monotonic() + second_try_pause;
    }
}

void FollowReport::retry_postponed_when_due() {
    if (context_.clock.monotonic() >= retry_unread_at_) {
        unread_.retry_postponed();
    }
}

// With any period, old or new.
std::optional<std::string> FollowReport::what_is_wrong() const {
    if (!unread_.unread().empty()) {
        return unread_.unread().front().reason;
    }
    return tail_.trouble ? tail_.trouble : backlog_.trouble;
}

// A success is what a poll says; of the backlog it is only worth a word if something failed before.
asio::awaitable<void> FollowReport::conclude(FollowedWork& work) {
    const bool is_poll = &work == &tail_;
    const WindowSet covered = co_await context_.store.coverage(0);
    const bool went_well = work.outcome.unread.empty() && !work.trouble && !work.outcome.difference;
    note_unread(work.outcome, covered);
    if (const auto wrong = what_is_wrong()) {
        // Each time, since an outage may have been told of meanwhile.
        co_await note_error(*wrong);
        if (is_poll && went_well) {
            co_await recorder_.note_partial_success();  // whatever is wrong with older periods
        }
    } else if (context_.client.outage()) {
        // A round that had nothing to ask. watch_outages() tells what is wrong.
    } else if (!work.outcome.difference && (is_poll || !noted_error_.value_or("").empty())) {
        co_await note_success();
    }
    co_await record_when_due();
}

// The run so far, for whoever reads `runs` while it goes on. Why there are gaps is told at once:
// `status` has it from there.
asio::awaitable<void> FollowReport::record_when_due() {
    if (context_.clock.monotonic() < record_at_ && unread_.unread() == recorded_unread_) {
        co_return;
    }
    record_at_ = context_.clock.monotonic() + record_interval;
    recorded_unread_ = unread_.unread();
    co_await recorder_.running(so_far());
}

asio::awaitable<void> FollowReport::note_error(std::string error, Logged logged) {
    // Another command may have succeeded meanwhile, and said so; what fails here still does.
    const std::optional<std::string> told = co_await context_.store.fact(metadata::last_error);
    if (noted_error_ != error || told != error) {
        // An outage has its own lines in the log.
        if (logged == Logged::not_yet && noted_error_ != error && !context_.client.outage()) {
            context_.observer.warning(error);
        }
        co_await recorder_.note_result(error);
        noted_error_ = error;
    }
    co_await publish(std::move(error));
}

asio::awaitable<void> FollowReport::note_success() {
    co_await recorder_.note_result("");
    noted_error_ = "";
    last_success_ = context_.clock.utc();
    co_await publish(std::nullopt);
}

asio::awaitable<void> FollowReport::publish(std::optional<std::string> trouble) {
    const WindowSet covered = co_await context_.store.coverage(0);
    Following state;
    if (!covered.empty()) {
        state.complete = covered.windows().back();
    }
    state.server_now = context_.client.server_now();
    state.last_success = last_success_;
    state.trouble = std::move(trouble);
    context_.observer.following(state);
}

}  // namespace mirror::sync

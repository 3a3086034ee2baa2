// A session that goes on until it is stopped: poll, fill the past behind, read again, count.
#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "core/copernica/errors.hpp"
#include "core/sync/metadata.hpp"
#include "core/sync/session.hpp"
#include "core/time/text.hpp"
#include "core/util/task_group.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// With a refused token only a person can help; they are given time.
constexpr std::chrono::minutes refused_token_pause(15);

// What the API refuses, or a certificate that does not verify, is seldom mended within a poll.
constexpr std::chrono::minutes failure_pause(5);

// What could not be read is tried again after so long, and counts that differ are compared again.
constexpr std::chrono::hours second_try_pause(1);

// The API counts the whole account so often.
constexpr std::chrono::hours count_interval(24 * 7);

// How often the file is told why the API does not answer, and of the run so far.
constexpr std::chrono::seconds watch_interval(10);
constexpr std::chrono::hours record_interval(1);

// An empty file begins with this much, so that there is something to see before the past is filled.
constexpr Seconds first_tail{3600};

}  // namespace

asio::awaitable<void> Session::run() {
    co_await recorded(run_kind, run_now());
}

asio::awaitable<void> Session::run_now() {
    TaskGroup tasks(executor_);
    tasks.spawn(follow());
    tasks.spawn(watch());
    co_await tasks.join();
}

// Polls until cancelled. What a person must put right is waited for; what cannot be put right
// while running (the zone, the file) is thrown.
asio::awaitable<void> Session::follow() {
    bool opened = false;
    bool announced = false;
    for (;;) {
        const Monotonic due = clock_.monotonic() + settings_.poll_interval;
        std::optional<std::string> refused;
        std::optional<std::string> failed;
        try {
            if (!opened) {
                co_await open();
                opened = true;
                if (!std::exchange(announced, true)) {
                    observer_.info("following the account");
                }
                co_await tell(std::nullopt);
            }
            co_await poll(due);
        } catch (const copernica::TokenRefused& error) {
            refused = error.what();
        } catch (const copernica::ApiFailed& error) {
            failed = error.what();
        }
        if (refused) {
            // The token that comes next may be another account's.
            opened = false;
            co_await note_error(fmt::format("{}; {}", *refused, settings_.token_advice));
            co_await clock_.sleep(refused_token_pause);
            continue;
        }
        if (failed) {
            co_await note_error(*failed);
            co_await clock_.sleep(failure_pause);
            continue;
        }
        const auto rest = std::chrono::ceil<std::chrono::milliseconds>(due - clock_.monotonic());
        if (rest.count() > 0) {
            co_await clock_.sleep(rest);
        }
    }
}

// One poll: the tail first; then, until the next is due, the past, newest first, and what came of
// age.
asio::awaitable<void> Session::poll(Monotonic due) {
    // What the last poll came to, however it ended.
    if (!outcome_.unread.empty()) {
        const WindowSet covered_then = co_await store_.coverage(0);
        keep_unread(covered_then);
    }
    written_ += outcome_.written;
    outcome_ = Outcome{};
    const Instant since = co_await following_since();
    const Window wanted = everything();
    outcome_.period = wanted;
    co_await store_.set_fact(metadata::wanted_from, seconds_text(wanted.begin));

    if (clock_.monotonic() >= unread_again_) {
        postponed_ = WindowSet{};
    }
    WindowSet covered = co_await store_.coverage(0);
    const Instant mark = covered.empty() ? wanted.end - first_tail : covered.windows().back().end;
    co_await follow_tail({std::max(wanted.begin, mark), wanted.end}, wanted.begin);

    covered = co_await store_.coverage(0);
    WindowSet missing(wanted);
    missing.subtract(covered);
    const bool complete_now = missing.within({wanted.begin, mark}).empty();
    missing.subtract(postponed_);
    co_await complete(missing, std::nullopt, due);
    if (complete_now && outcome_.unread.empty()) {
        co_await count_when_due(wanted.begin);
    }
    co_await read_again(since, due);
    co_await cut_back_coverage();
    // Only one-shot runs doubt this at their end; here it is read again when it comes of age.
    adaptive_.emptiness.take_unverified();

    covered = co_await store_.coverage(0);
    keep_unread(covered);
    if (!unread_.empty()) {
        // Each time, since an outage may have been told of meanwhile.
        co_await note_error(unread_.front().reason);
    } else if (!outcome_.difference) {
        co_await note_success();
    }
    co_await record_when_due();
}

asio::awaitable<void> Session::count_when_due(Instant begin) {
    if (clock_.monotonic() < count_again_) {
        co_return;
    }
    const auto counted = co_await store_.fact(metadata::counted_from);
    const auto at = co_await store_.fact(metadata::counted_at);
    const bool fresh = counted && *counted == format_local(settings_.start) && at &&
                       client_.server_now() - Instant(Seconds(std::stoll(*at))) < count_interval;
    if (fresh) {
        co_return;
    }
    co_await compare_counts(begin);
    count_again_ = clock_.monotonic() + second_try_pause;
}

// An outage leaves a poll waiting, so it is told from here.
asio::awaitable<void> Session::watch() {
    for (;;) {
        co_await client_.outage_begins();
        while (client_.outage()) {
            co_await note_error(fmt::format(
                "{}; it is tried again and again, and `copernica-mirror check` tells where it "
                "breaks",
                *client_.outage()));
            co_await clock_.sleep(watch_interval);
        }
    }
}

// What could not be read, now or before, until it is covered and asking again has not failed.
void Session::keep_unread(const WindowSet& covered) {
    std::erase_if(unread_, [&](const plan::UnreadWindow& before) {
        const bool failed_again =
            std::any_of(outcome_.unread.begin(), outcome_.unread.end(), [&](const auto& unread) {
                return !intersection(unread.window, before.window).empty();
            });
        const bool waits = !postponed_.within(before.window).empty();
        return failed_again || (!waits && covered.contains(before.window));
    });
    // What is new does not put off what waits for its second try.
    if (postponed_.empty()) {
        unread_again_ = clock_.monotonic() + second_try_pause;
    }
    for (const plan::UnreadWindow& unread : std::exchange(outcome_.unread, {})) {
        postponed_.add(unread.window);
        if (std::find(unread_.begin(), unread_.end(), unread) == unread_.end()) {
            unread_.push_back(unread);
        }
    }
}

// The run so far, for whoever reads `runs` while it goes on. Why there are gaps is told at once:
// `status` has it from there.
asio::awaitable<void> Session::record_when_due() {
    if (clock_.monotonic() < record_again_ && unread_ == recorded_unread_) {
        co_return;
    }
    record_again_ = clock_.monotonic() + record_interval;
    recorded_unread_ = unread_;
    co_await store_.record_run(run_record(run_kind, "running"));
}

asio::awaitable<void> Session::note_error(std::string error) {
    // Another command may have ended well meanwhile, and said so; what fails here still does.
    const auto told = co_await store_.fact(metadata::last_error);
    if (noted_error_ != error || told != error) {
        // An outage has its own lines in the log.
        if (noted_error_ != error && !client_.outage()) {
            observer_.warning(error);
        }
        co_await write_outcome(error);
        noted_error_ = error;
    }
    co_await tell(std::move(error));
}

asio::awaitable<void> Session::note_success() {
    co_await write_outcome("");
    noted_error_ = "";
    last_success_ = clock_.utc();
    co_await tell(std::nullopt);
}

asio::awaitable<void> Session::tell(std::optional<std::string> trouble) {
    const WindowSet covered = co_await store_.coverage(0);
    Following state;
    if (!covered.empty()) {
        state.complete = covered.windows().back();
    }
    state.server_now = client_.server_now();
    state.last_success = last_success_;
    state.trouble = std::move(trouble);
    observer_.following(state);
}

}  // namespace mirror::sync

#include "core/sync/follower.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "core/copernica/errors.hpp"
#include "core/plan/request_budget.hpp"
#include "core/sync/horizon.hpp"
#include "core/util/duration_text.hpp"
#include "core/util/task_group.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// With a refused token only a person can help; they are given time.
constexpr std::chrono::minutes refused_token_pause(15);

// What the API refuses, or a certificate that does not verify, is seldom mended within a poll.
constexpr std::chrono::minutes failure_pause(5);

// How often the file is told why the API does not answer.
constexpr std::chrono::seconds watch_interval(10);

// A new interval is in effect so soon.
constexpr std::chrono::milliseconds longest_sleep = std::chrono::minutes(1);

// With no request left today, the clock is looked at so often.
constexpr std::chrono::minutes longest_budget_pause(15);

}  // namespace

// Runs until it is stopped, and writes down how that was.
asio::awaitable<void> Follower::run() {
    report_.begin();
    RunRecorder::Ending ending;
    try {
        co_await run_now();
    } catch (...) {
        ending.failed = std::current_exception();
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    ending.file_is_ours = preflight_.file_is_ours();
    co_await report_.ended(std::move(ending));
}

asio::awaitable<void> Follower::run_now() {
    context_.client.keep_connection_for_tail();
    TaskGroup tasks(context_.executor);
    tasks.spawn(follow());
    tasks.spawn(watch_outages());
    co_await tasks.join();
}

// Follows until cancelled. What a person must put right is waited for; what cannot be put right
// while running (the zone, the file) is thrown.
asio::awaitable<void> Follower::follow() {
    bool announced = false;
    for (;;) {
        std::optional<copernica::TokenRefused> refused;
        std::optional<std::string> failed;
        try {
            // After a refused token, too: the one that comes next may be another account's.
            co_await preflight_.run();
            if (!std::exchange(announced, true)) {
                context_.observer.info("following the account");
            }
            co_await report_.publish(std::nullopt);
            const Instant since = co_await following_since(context_);
            backlog_.follow_since(since);
            co_await keep_up();
        } catch (const copernica::TokenRefused& error) {
            refused = error;
        } catch (const copernica::ApiFailed& error) {
            failed = error.what();
        }
        if (refused) {
            context_.shared.forget_account();
            std::string text =
                fmt::format("{}; {}", refused->what(), context_.settings.token_advice);
            context_.shared.warn_of_refusal(*refused, text);
            co_await report_.note_error(std::move(text), FollowReport::Logged::already);
            co_await context_.clock.sleep(refused_token_pause);
        } else {
            co_await report_.note_error(*failed);
            co_await context_.clock.sleep(failure_pause);
        }
    }
}

// The tail, and the backlog beside it, until something ends both.
asio::awaitable<void> Follower::keep_up() {
    TaskGroup tasks(context_.executor);
    tasks.spawn(repeat(&Follower::poll, &Follower::poll_pause, report_.tail().trouble));
    tasks.spawn(
        repeat(&Follower::work_off_backlog, &Follower::round_pause, report_.backlog().trouble));
    co_await tasks.join();
}

// Does one of them again and again. If the API fails it, it pauses alone.
asio::awaitable<void> Follower::repeat(Work work, Pause pause,
                                       std::optional<std::string>& trouble) {
    for (;;) {
        const Monotonic begun = context_.clock.monotonic();
        bool failed = false;
        bool spent = false;
        try {
            co_await (this->*work)(begun + (this->*pause)());
        } catch (const BudgetSpent& error) {
            trouble = error.what();
            spent = true;
        } catch (const copernica::ApiFailed& error) {
            trouble = error.what();
            failed = true;
        }
        turns_.ended(!failed && !spent);
        if (spent) {
            co_await report_.note_error(*trouble);
            co_await context_.clock.sleep(
                std::min<std::chrono::milliseconds>(poll_pause(), longest_budget_pause));
            continue;
        }
        if (failed) {
            co_await report_.note_error(*trouble);
            co_await context_.clock.sleep(failure_pause);
            continue;
        }
        tell_budget();
        co_await sleep_since(begun, pause);
    }
}

// Until the next one is due. The pause may change meanwhile.
asio::awaitable<void> Follower::sleep_since(Monotonic begun, Pause pause) {
    for (;;) {
        const auto rest = std::chrono::ceil<std::chrono::milliseconds>(begun + (this->*pause)() -
                                                                       context_.clock.monotonic());
        if (rest.count() <= 0) {
            co_return;
        }
        co_await context_.clock.sleep(std::min(rest, longest_sleep));
    }
}

asio::awaitable<void> Follower::poll(Monotonic) {
    co_await tail_.poll();
}

asio::awaitable<void> Follower::work_off_backlog(Monotonic due) {
    co_await backlog_.round(due);
}

// From the begin of one poll to the begin of the next.
Seconds Follower::poll_pause() const {
    plan::BudgetState budget = context_.budget();
    budget.poll_interval = tail_.interval();
    return plan::poll_pause(budget);
}

// Once when it begins and once when it is over: what the day's budget holds up.
void Follower::tell_budget() {
    std::string text;
    if (poll_pause() > tail_.interval()) {
        text = fmt::format("the day's budget of requests allows a poll every {}",
                           duration_text(poll_pause()));
    } else if (backlog_.held_back()) {
        text = "the day's budget of requests is kept for what is new: the past waits for tomorrow";
    }
    // Pauses vary from poll to poll.
    const std::string kind = text.substr(0, text.find(" every"));
    if (kind != budget_told_) {
        context_.observer.info(
            text.empty() ? "the day's budget of requests holds up nothing any more" : text);
        budget_told_ = kind;
    }
}

// An outage leaves a poll waiting, so it is told from here.
asio::awaitable<void> Follower::watch_outages() {
    for (;;) {
        co_await context_.client.outage_begins();
        while (context_.client.outage()) {
            co_await report_.note_error(
                fmt::format("{}; retrying; run `copernica-mirror check` to diagnose",
                            *context_.client.outage()));
            co_await context_.clock.sleep(watch_interval);
        }
    }
}

}  // namespace mirror::sync

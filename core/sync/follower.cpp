#include "core/sync/follower.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "core/copernica/errors.hpp"
#include "core/plan/request_budget.hpp"
#include "core/sync/audit.hpp"
#include "core/sync/gap_filler.hpp"
#include "core/sync/horizon.hpp"
#include "core/sync/metadata.hpp"
#include "core/sync/retention.hpp"
#include "core/sync/sweep.hpp"
#include "core/sync/tail.hpp"
#include "core/sync/verifier.hpp"
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

// How often the file is told why the API does not answer, and of the run so far.
constexpr std::chrono::seconds watch_interval(10);
constexpr std::chrono::hours record_interval(1);

// A new interval is in effect so soon.
constexpr std::chrono::milliseconds longest_sleep = std::chrono::minutes(1);

// With no request left today, the clock is looked at so often.
constexpr std::chrono::minutes longest_budget_pause(15);

// Rows that come late are counted in so much of the past if a page has no room for it, and again
// after so long if an audit could not settle the difference.
constexpr std::chrono::hours late_rows_reach(6);
constexpr std::chrono::hours unsettled_pause(6);

}  // namespace

class Follower::Flag {
  public:
    Flag(bool& flag, AsyncCondition& ended) : flag_(flag), ended_(ended) { flag_ = true; }
    Flag(const Flag&) = delete;
    Flag& operator=(const Flag&) = delete;
    ~Flag() {
        flag_ = false;
        ended_.notify_all();
    }

  private:
    bool& flag_;
    AsyncCondition& ended_;
};

// Runs until it is stopped, and writes down how that was.
asio::awaitable<void> Follower::run() {
    recorder_.begin();
    RunRecorder::Ending ending;
    try {
        co_await run_now();
    } catch (...) {
        ending.failed = std::current_exception();
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    ending.file_is_ours = preflight_.file_is_ours();
    co_await recorder_.ended(so_far(), std::move(ending));
}

asio::awaitable<void> Follower::run_now() {
    context_.client.keep_connection_for_tail();
    TaskGroup tasks(context_.executor);
    tasks.spawn(follow());
    tasks.spawn(watch_outages());
    co_await tasks.join();
}

// The run as far as it is: everything that was written, and what still could not be read.
Outcome Follower::so_far() const {
    Outcome outcome;
    outcome.period = period_;
    outcome.written = written_;
    outcome.written += tail_.written;
    outcome.written += backlog_.written;
    outcome.unread = unread_.unread();
    return outcome;
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
            co_await publish(std::nullopt);
            following_since_ = co_await following_since(context_);
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
            co_await note_error(std::move(text), Logged::already);
            co_await context_.clock.sleep(refused_token_pause);
        } else {
            co_await note_error(*failed);
            co_await context_.clock.sleep(failure_pause);
        }
    }
}

// The tail, and the backlog beside it, until something ends both.
asio::awaitable<void> Follower::keep_up() {
    TaskGroup tasks(context_.executor);
    tasks.spawn(repeat(&Follower::poll, &Follower::poll_pause, tail_trouble_));
    tasks.spawn(repeat(&Follower::work_off_backlog, &Follower::round_pause, backlog_trouble_));
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
        polled_ = true;
        first_poll_.notify_all();
        if (failed || spent) {
            reach_waits_ = false;
            reach_ended_.notify_all();
        }
        if (spent) {
            co_await note_error(*trouble);
            co_await context_.clock.sleep(
                std::min<std::chrono::milliseconds>(poll_pause(), longest_budget_pause));
            continue;
        }
        if (failed) {
            co_await note_error(*trouble);
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

// The result of the poll or round before, however it ended.
asio::awaitable<void> Follower::keep_last(Outcome& outcome) {
    if (!outcome.unread.empty()) {
        const WindowSet covered = co_await context_.store.coverage(0);
        note_unread(outcome, covered);
    }
    written_ += outcome.written;
    outcome = Outcome{};
}

void Follower::note_unread(Outcome& outcome, const WindowSet& covered) {
    if (unread_.note(std::exchange(outcome.unread, {}), covered)) {
        retry_unread_at_ = context_.clock.monotonic() + second_try_pause;
    }
}

// The same text each time: it is told of once.
std::string Follower::not_begun(const Window& wanted) const {
    const Zone& zone = context_.settings.zone;
    return fmt::format(
        "[mirror] start {} ({}) is in the future by the API's clock; nothing is fetched before "
        "then",
        format_local(zone.to_local(wanted.begin)), zone.name());
}

// What there is since the last poll.
asio::awaitable<void> Follower::poll(Monotonic) {
    co_await keep_last(tail_);
    co_await learn_erased_before(context_);
    const Window wanted = context_.everything();
    if (wanted.empty()) {
        tail_trouble_ = not_begun(wanted);
        co_await conclude(tail_, true);
        co_return;
    }
    period_ = wanted;
    co_await context_.store.set_fact(metadata::wanted_from, metadata::seconds_text(wanted.begin));
    const WindowSet covered = co_await context_.store.coverage(0);
    const Instant mark = covered.empty() ? wanted.end - first_tail : covered.windows().back().end;
    const Window since_mark{std::max(wanted.begin, mark), wanted.end};
    const Seconds reach = co_await read_tail(since_mark, wanted.begin);
    co_await cut_back_coverage(context_);
    tail_trouble_.reset();
    co_await conclude(tail_, true);
    co_await warn_of_machine_clock(context_);
    co_await context_.requests.flush_if_due(reach > Seconds(0));
}

// What is new, and as much of what is not as the page has room for. Returns how far back that was.
asio::awaitable<Seconds> Follower::read_tail(Window wanted, Instant earliest) {
    std::optional<Flag> reaching;
    Seconds reach{0};
    const bool held_up = backlog_at_work_ || tail_trouble_;
    if (!held_up) {
        reaching.emplace(reaching_, reach_ended_);
        reach = co_await choose_reach(wanted.end);
    }
    if (reach == Seconds(0)) {
        reaching.reset();
    }
    reach_waits_ = false;
    co_await catch_up(context_, wanted, earliest, unread_.postponed(), tail_, copernica::Lane::tail,
                      reach);
    pace_.polled(tail_.written.inserted > 0);
    const Monotonic now = context_.clock.monotonic();
    reach_.reached(reach, now);
    const std::vector<Seconds> still_due = reach_.due(now);
    reach_waits_ = held_up && !still_due.empty() && still_due.front() >= late_rows_reach;
    co_return reach;
}

asio::awaitable<Seconds> Follower::choose_reach(Instant end) {
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

// One round of it. An empty file is to have the newest rows first.
asio::awaitable<void> Follower::work_off_backlog(Monotonic due) {
    while (!polled_) {
        co_await first_poll_.wait();
    }
    while (reaching_ || reach_waits_) {
        co_await reach_ended_.wait();
    }
    const Flag at_work(backlog_at_work_, reach_ended_);
    co_await read_backlog(due);
    past_held_back_ = backlog_.held_back;
}

// Until `due`: the past, newest first, and what is due for a recheck.
asio::awaitable<void> Follower::read_backlog(Monotonic due) {
    co_await keep_last(backlog_);
    if (context_.clock.monotonic() >= retry_unread_at_) {
        unread_.retry_postponed();
    }
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
    WindowSet left_alone = unread_.postponed();
    missing.todo.subtract(left_alone);
    co_await fill_gaps(context_, std::move(missing), backlog_);
    if (complete && backlog_.unread.empty()) {
        const Window past{wanted.begin, end};
        co_await count_when_due(past);
    }
    co_await look_for_late_rows(end);
    left_alone.add({end, Instant::max()});
    co_await recheck(context_, following_since_, due, left_alone, backlog_);
    co_await sweep(context_, due, left_alone, backlog_);
    co_await erase_old(context_, due);
    // Commands that end by themselves verify this at their end; here a recheck reads it again.
    context_.adaptive.emptiness.take_unverified();
    backlog_trouble_.reset();
    co_await conclude(backlog_, false);
}

// One count tells whether anything came late in the last hours; if it differs, an audit finds the
// place. What is later than `end` is the tail's.
asio::awaitable<void> Follower::look_for_late_rows(Instant end) {
    const Monotonic now = context_.clock.monotonic();
    if (!late_rows_due_ || now < count_late_at_ ||
        !plan::may_begin(plan::Purpose::recheck, context_.budget())) {
        co_return;
    }
    late_rows_due_ = false;
    const WindowSet covered = co_await context_.store.coverage(0);
    const Instant begin = std::max(end - late_rows_reach, context_.everything().begin);
    WindowSet recent = covered.within({begin, end});
    recent.subtract(unread_.postponed());
    AuditOptions options;
    options.repair = true;
    options.as_one = true;
    options.bounds = bounds_;
    Audit audit(context_, options);
    const AuditReport report = co_await audit.run(std::move(recent));
    bounds_ = audit.bounds();
    backlog_.written += report.written;
    if (!report.places.empty() && !report.repaired) {
        count_late_at_ = now + unsettled_pause;
    }
}

// From the begin of one poll to the begin of the next.
Seconds Follower::poll_pause() const {
    plan::BudgetState budget = context_.budget();
    budget.poll_interval = poll_interval();
    return plan::poll_pause(budget);
}

// Once when it begins and once when it is over: what the day's budget holds up.
void Follower::tell_budget() {
    std::string text;
    if (poll_pause() > poll_interval()) {
        text = fmt::format("the day's budget of requests allows a poll every {} s",
                           poll_pause().count());
    } else if (past_held_back_) {
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

// Tells the file and the observer how things are. A success is what a poll says; of the backlog it
// is only worth a word if something failed before.
asio::awaitable<void> Follower::conclude(Outcome& outcome, bool is_poll) {
    const WindowSet covered = co_await context_.store.coverage(0);
    note_unread(outcome, covered);
    if (!unread_.unread().empty()) {
        // Each time, since an outage may have been told of meanwhile.
        co_await note_error(unread_.unread().front().reason);
    } else if (tail_trouble_ || backlog_trouble_) {
        co_await note_error(tail_trouble_ ? *tail_trouble_ : *backlog_trouble_);
    } else if (!outcome.difference && (is_poll || !noted_error_.value_or("").empty())) {
        co_await note_success();
    }
    co_await record_when_due();
}

// `past`: what is not the tail's.
asio::awaitable<void> Follower::count_when_due(Window past) {
    if (context_.clock.monotonic() < count_at_) {
        co_return;
    }
    Verifier verifier(context_, unread_.postponed(), backlog_);
    verifier.leave_to_tail(past.end);
    const bool due = co_await verifier.count_is_due();
    if (due || context_.adaptive.expiry_suspected) {
        // Not sooner, however the comparison ends.
        count_at_ = context_.clock.monotonic() + second_try_pause;
        co_await verifier.compare_counts(past.begin);
    }
}

// An outage leaves a poll waiting, so it is told from here.
asio::awaitable<void> Follower::watch_outages() {
    for (;;) {
        co_await context_.client.outage_begins();
        while (context_.client.outage()) {
            co_await note_error(
                fmt::format("{}; retrying; run `copernica-mirror check` to diagnose",
                            *context_.client.outage()));
            co_await context_.clock.sleep(watch_interval);
        }
    }
}

// The run so far, for whoever reads `runs` while it goes on. Why there are gaps is told at once:
// `status` has it from there.
asio::awaitable<void> Follower::record_when_due() {
    if (context_.clock.monotonic() < record_at_ && unread_.unread() == recorded_unread_) {
        co_return;
    }
    record_at_ = context_.clock.monotonic() + record_interval;
    recorded_unread_ = unread_.unread();
    co_await recorder_.running(so_far());
}

asio::awaitable<void> Follower::note_error(std::string error, Logged logged) {
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

asio::awaitable<void> Follower::note_success() {
    co_await recorder_.note_result("");
    noted_error_ = "";
    last_success_ = context_.clock.utc();
    co_await publish(std::nullopt);
}

asio::awaitable<void> Follower::publish(std::optional<std::string> trouble) {
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

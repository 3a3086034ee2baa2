#include "core/sync/session.hpp"

#include <algorithm>
#include <exception>
#include <map>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include "core/copernica/errors.hpp"
#include "core/plan/zone_check.hpp"
#include "core/sync/account_probe.hpp"
#include "core/sync/errors.hpp"
#include "core/sync/metadata.hpp"
#include "core/time/text.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// Replies that may be asked for until enough of them, one after the other, agree on the time. Some
// of them may come from a machine whose clock is wrong.
constexpr int most_clock_replies = 3 * copernica::ServerClock::agreement;

bool is_cancellation(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const boost::system::system_error& failed) {
        return failed.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

std::string message_of(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& failed) {
        return failed.what();
    } catch (...) {
        return "unknown error";
    }
}

}  // namespace

Session::Session(const asio::any_io_executor& executor, copernica::Api& api, Store& store,
                 Clock& clock, Observer& observer, const Settings& settings)
    : executor_(executor),
      store_(store),
      clock_(clock),
      observer_(observer),
      settings_(settings),
      client_(executor, api, clock, observer, settings),
      adaptive_(settings.page_size) {}

std::string Session::seconds_text(Instant at) {
    return std::to_string(at.time_since_epoch().count());
}

asio::awaitable<Outcome> Session::sync() {
    co_await recorded("sync", sync_now());
    co_return std::move(outcome_);
}

asio::awaitable<Outcome> Session::backfill(BackfillRequest request) {
    co_await recorded("backfill", backfill_now(request));
    co_return std::move(outcome_);
}

asio::awaitable<AuditReport> Session::audit(AuditRequest request) {
    co_await recorded("audit", audit_now(request));
    audit_.requests = outcome_.requests;
    co_return std::move(audit_);
}

RunRecord Session::run_record(std::string kind, std::string result) const {
    RunRecord run;
    run.kind = std::move(kind);
    run.period = outcome_.period;
    run.started = started_;
    run.requests = client_.requests();
    run.written = written_;
    run.written += outcome_.written;
    run.unread = run.kind == run_kind ? unread_ : outcome_.unread;
    run.outcome = std::move(result);
    return run;
}

// Runs the work and writes down what became of it, whatever that is.
asio::awaitable<void> Session::recorded(std::string kind, asio::awaitable<void> work) {
    started_ = clock_.utc();
    std::exception_ptr failed;
    try {
        co_await std::move(work);
    } catch (...) {
        failed = std::current_exception();
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    outcome_.requests = client_.requests();
    if (!file_is_ours_) {
        // Another account's file is left as it is, without a word about us.
        std::rethrow_exception(failed);
    }

    RunRecord run = run_record(std::move(kind), "");
    run.ended = clock_.utc();
    std::string last_error;
    if (!failed) {
        run.outcome = outcome_.whole() && !audit_.nothing_covered ? "done" : "incomplete";
        if (!outcome_.unread.empty()) {
            last_error = outcome_.unread.front().reason;
        } else if (outcome_.difference) {
            last_error = "the API's count and the file's differ";
        } else if (outcome_.found) {
            last_error = *outcome_.found;
        }
    } else if (is_cancellation(failed)) {
        run.outcome = "stopped";
    } else {
        last_error = message_of(failed);
        run.outcome = "failed: " + last_error;
    }
    // An audit that compared nothing says nothing of how things are.
    const bool tells = !failed && !audit_.nothing_covered;
    std::exception_ptr unrecorded;
    try {
        co_await store_.record_run(run);
        if (tells || !last_error.empty()) {
            co_await write_outcome(std::move(last_error));
        }
    } catch (...) {
        unrecorded = std::current_exception();
    }
    // What ended the run matters more than that it could not be written down.
    if (failed) {
        std::rethrow_exception(failed);
    }
    if (unrecorded) {
        std::rethrow_exception(unrecorded);
    }
}

// How the last run or poll ended, for `status`, in one transaction. No error: all went well.
asio::awaitable<void> Session::write_outcome(std::string error) {
    const std::string now = seconds_text(clock_.utc());
    std::map<std::string, std::string> changed;
    if (error.empty()) {
        changed[metadata::failing_since] = "";
        changed[metadata::last_success] = now;
    } else {
        const auto since = co_await store_.fact(metadata::failing_since);
        if (!since || since->empty()) {
            changed[metadata::failing_since] = now;
        }
        changed[metadata::last_error_at] = now;
    }
    changed[metadata::last_error] = std::move(error);
    co_await store_.set_facts(std::move(changed));
}

Window Session::everything() const {
    return {settings_.zone.align_down(settings_.zone.earliest(settings_.start)), client_.settled()};
}

asio::awaitable<void> Session::open() {
    copernica::Identity identity = co_await client_.identity_with_retry();
    file_is_ours_ = false;
    co_await store_.claim_account(identity.id, identity.name);
    file_is_ours_ = true;
    // Where our clock and the server's disagree, a few replies settle which time it is.
    for (int reply = 1; reply < most_clock_replies && !client_.server_clock_known(); ++reply) {
        co_await client_.identity_with_retry();
    }
    if (!client_.server_clock_known()) {
        throw copernica::ApiFailed(
            "the API's replies carry no Date that can be relied on, so nothing can be proved "
            "complete; is there a proxy in between?");
    }
    co_await cut_back_coverage();
    co_await check_zone();
}

asio::awaitable<void> Session::cut_back_coverage() {
    const Instant settled = client_.settled();
    const WindowSet coverage = co_await store_.coverage(0);
    if (coverage.empty() || coverage.windows().back().end <= settled) {
        co_return;
    }
    const Window beyond{settled, coverage.windows().back().end};
    if (beyond.width() > copernica::ServerClock::tolerance) {
        observer_.warning(fmt::format(
            "the file claims to be complete until {}, but by the API's clock only {} is settled; "
            "the claim is cut back",
            format_utc(beyond.end), format_utc(settled)));
    }
    co_await store_.uncover(WindowSet(beyond));
}

asio::awaitable<void> Session::check_zone() {
    const copernica::PageQuery query =
        plan::rows_ahead_query(settings_.zone, client_.server_now(), settings_.page_size);
    const copernica::FetchedPage fetched =
        co_await client_.fetch_with_retry(query, plan::rows_ahead_slack);
    if (const auto why = plan::why_wrong_zone(query, fetched.page, settings_.zone)) {
        throw WrongZone(*why);
    }
}

asio::awaitable<void> Session::sync_now() {
    co_await open();
    const Window wanted = everything();
    outcome_.period = wanted;
    co_await store_.set_fact(metadata::wanted_from, seconds_text(wanted.begin));
    const Instant since = co_await following_since();
    const auto counted = co_await store_.fact(metadata::counted_from);
    const auto local_start = format_local(settings_.start);
    co_await follow_tail(wanted, wanted.begin);
    if (outcome_.unread.empty() && (!counted || *counted != local_start)) {
        co_await compare_counts(wanted.begin);
    } else {
        co_await doubt_emptiness(wanted);
    }
    co_await read_again(since, std::nullopt);
    co_await cut_back_coverage();
}

// Since when this file follows the account: from the first command on that covers anything.
asio::awaitable<Instant> Session::following_since() {
    const auto text = co_await store_.fact(metadata::following_since);
    if (text) {
        co_return Instant(Seconds(std::stoll(*text)));
    }
    const Instant now = client_.settled();
    co_await store_.set_fact(metadata::following_since, seconds_text(now));
    co_return now;
}

asio::awaitable<void> Session::backfill_now(BackfillRequest request) {
    co_await open();
    // What it covers may be young, and has to be read again when it is not.
    co_await following_since();
    const Instant settled = client_.settled();
    Window wanted;
    wanted.begin = settings_.zone.align_down(settings_.zone.earliest(request.from));
    wanted.end =
        request.to ? std::min(settled, settings_.zone.align_up(settings_.zone.latest(*request.to)))
                   : settled;
    outcome_.period = wanted;
    if (wanted.empty()) {
        co_return;
    }
    WindowSet todo(wanted);
    if (!request.force) {
        const WindowSet coverage = co_await store_.coverage(0);
        todo.subtract(coverage);
    }
    co_await complete(todo, std::nullopt);
    const bool all = request.from <= settings_.start && wanted.end == settled;
    if (all && outcome_.unread.empty()) {
        co_await compare_counts(wanted.begin);
    } else {
        co_await doubt_emptiness(wanted);
    }
}

asio::awaitable<void> Session::audit_now(AuditRequest request) {
    co_await open();
    const WindowSet covered = co_await store_.coverage(0);
    Window wanted = everything();
    if (!covered.empty()) {
        wanted = {covered.windows().front().begin, covered.windows().back().end};
    }
    const Instant newest = wanted.end;
    if (request.from) {
        wanted.begin = settings_.zone.align_down(settings_.zone.earliest(*request.from));
    }
    if (request.to) {
        wanted.end = settings_.zone.align_up(settings_.zone.latest(*request.to));
    }
    outcome_.period = wanted;
    const WindowSet to_compare = covered.within(wanted);
    Audit audit(executor_, client_, store_, observer_, settings_, adaptive_, request.options);
    audit_ = co_await audit.run(to_compare);
    audit_.nothing_covered = to_compare.empty();
    audit_.uncovered.add({wanted.begin, std::min(wanted.end, newest)});
    audit_.uncovered.subtract(covered);
    outcome_.written = audit_.written;
    outcome_.unread = audit_.unread;
    std::string found = "everything agrees";
    if (audit_.nothing_covered) {
        found = "nothing to compare";
    } else if (!audit_.places.empty()) {
        found = fmt::format("{} {} that {}", audit_.places.size(),
                            audit_.places.size() == 1 ? "place" : "places",
                            audit_.repaired ? "differed, put right" : "differ");
        if (!audit_.repaired) {
            outcome_.found = "an audit found " + found;
        }
    } else if (!audit_.unread.empty()) {
        found = "some periods could not be read";
    } else if (!audit_.uncovered.empty()) {
        found = "everything that is covered agrees";
    }
    co_await store_.set_fact(metadata::last_audit, found);
    co_await store_.set_fact(metadata::last_audit_at, seconds_text(clock_.utc()));
}

asio::awaitable<void> Session::complete(WindowSet todo, std::optional<Window> first,
                                        std::optional<Monotonic> stop_after,
                                        plan::Direction direction) {
    FetchPipeline completion(executor_, client_, store_, observer_, settings_, adaptive_,
                             std::move(todo), direction);
    if (first && !first->empty()) {
        completion.read_first(*first);
    }
    if (stop_after) {
        completion.stop_after(*stop_after);
    }
    std::exception_ptr failed;
    try {
        co_await completion.run();
    } catch (...) {
        failed = std::current_exception();
    }
    outcome_.written += completion.written();
    for (const plan::UnreadWindow& unread : completion.unread()) {
        outcome_.unread.push_back(unread);
        observer_.warning(fmt::format("{} to {} is left out: {}", format_utc(unread.window.begin),
                                      format_utc(unread.window.end), unread.reason));
    }
    if (failed) {
        std::rethrow_exception(failed);
    }
}

}  // namespace mirror::sync

#include "core/sync/session.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include "core/sync/errors.hpp"
#include "core/sync/facts.hpp"
#include "core/sync/whole_account.hpp"
#include "core/time/text.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// Replies that may be asked for until enough of them, one after the other, agree on the time. Some
// of them may come from a machine whose clock is wrong.
constexpr int most_clock_replies = 3 * ServerClock::agreement;

// How far the API's rows may be ahead of its own clock before the zone is wrong.
constexpr Seconds most_ahead{60};

// The rows that a tail may read again for the sake of a reply that cannot be empty.
constexpr std::uint64_t most_witnesses = 100;

// How far back a tail reaches for that. An account that is silent for longer is asked about its
// silence once more instead.
constexpr std::chrono::hours furthest_witness(24 * 7);

// A tail that is at most so long is read as one window.
constexpr Seconds longest_tail{3600};

// No two zones are further apart.
constexpr std::chrono::hours furthest_zones(26);

// Rounds of doubting what was believed empty, and of counting.
constexpr int most_rounds = 3;

std::string seconds_text(Instant at) {
    return std::to_string(at.time_since_epoch().count());
}

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

Session::Session(const asio::any_io_executor& executor, api::Api& api, Store& store, Clock& clock,
                 Observer& observer, const Settings& settings)
    : executor_(executor),
      store_(store),
      clock_(clock),
      observer_(observer),
      settings_(settings),
      fetcher_(executor, api, clock, settings),
      experience_(settings.page_size) {}

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
    outcome_.requests = fetcher_.requests();
    if (!file_is_ours_) {
        // Another account's file is left as it is, without a word about us.
        std::rethrow_exception(failed);
    }

    RunRecord run;
    run.kind = std::move(kind);
    run.period = outcome_.period;
    run.started = started_;
    run.ended = clock_.utc();
    run.requests = outcome_.requests;
    run.written = outcome_.written;
    run.unread = outcome_.unread;
    std::string last_error;
    if (!failed) {
        run.outcome = outcome_.whole() ? "done" : "incomplete";
        if (!outcome_.unread.empty()) {
            last_error = outcome_.unread.front().reason;
        } else if (outcome_.difference) {
            last_error = "the API's count and the file's differ";
        }
    } else if (is_cancellation(failed)) {
        run.outcome = "stopped";
    } else {
        last_error = message_of(failed);
        run.outcome = "failed: " + last_error;
    }
    std::exception_ptr unrecorded;
    try {
        co_await store_.record_run(run);
        if (!last_error.empty()) {
            const auto since = co_await store_.fact(facts::failing_since);
            if (!since || since->empty()) {
                co_await store_.set_fact(facts::failing_since, seconds_text(*run.ended));
            }
            co_await store_.set_fact(facts::last_error, last_error);
            co_await store_.set_fact(facts::last_error_at, seconds_text(*run.ended));
        } else if (!failed) {
            co_await store_.set_fact(facts::last_error, "");
            co_await store_.set_fact(facts::failing_since, "");
            co_await store_.set_fact(facts::last_success, seconds_text(*run.ended));
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

Window Session::everything() const {
    return {settings_.zone.align_down(settings_.zone.earliest(settings_.start)),
            fetcher_.settled()};
}

asio::awaitable<void> Session::open() {
    api::Identity identity = co_await fetcher_.identity_at_last();
    file_is_ours_ = false;
    co_await store_.claim_account(identity.id, identity.name);
    file_is_ours_ = true;
    // Where our clock and the server's disagree, a few replies settle which time it is.
    for (int reply = 1; reply < most_clock_replies && !fetcher_.server_clock_known(); ++reply) {
        co_await fetcher_.identity_at_last();
    }
    if (!fetcher_.server_clock_known()) {
        throw ApiFailed(
            "the API's replies carry no Date that can be relied on, so nothing can be proved "
            "complete; is there a proxy in between?");
    }
    co_await cut_back_coverage();
    co_await check_zone();
}

asio::awaitable<void> Session::cut_back_coverage() {
    const Instant settled = fetcher_.settled();
    const WindowSet coverage = co_await store_.coverage(0);
    if (coverage.empty() || coverage.windows().back().end <= settled) {
        co_return;
    }
    const Window beyond{settled, coverage.windows().back().end};
    if (beyond.width() > ServerClock::tolerance) {
        observer_.warning(fmt::format(
            "the file claims to be complete until {}, but by the API's clock only {} is settled; "
            "the claim is cut back",
            format_utc(beyond.end), format_utc(settled)));
    }
    co_await store_.uncover(WindowSet(beyond));
}

// A zone that lies behind the API's would lose rows silently: what the API shows as later than now
// tells.
asio::awaitable<void> Session::check_zone() {
    // In the hour that occurs twice, texts of its first pass look as if they were ahead.
    const Instant now = settings_.zone.align_up(fetcher_.server_now());
    api::PageQuery query;
    query.begintime = settings_.zone.to_local(now);
    query.endtime = settings_.zone.to_local(now + std::chrono::hours(24));
    query.limit = settings_.page_size;
    const Fetched fetched = co_await fetcher_.page_at_last(query, std::chrono::hours(1));
    Seconds ahead{0};
    for (const Impression& row : fetched.page.rows) {
        ahead = std::max<Seconds>(ahead, row.time - query.begintime);
    }
    if (ahead > most_ahead) {
        const auto minutes = std::chrono::round<std::chrono::minutes>(ahead).count();
        throw WrongZone(fmt::format(
            "the API shows impressions up to {} h {} min later than its own clock as read in {}: "
            "[api] time_zone is not the account's zone; put the right one in and start with a new "
            "file",
            minutes / 60, minutes % 60, settings_.zone.name()));
    }
}

asio::awaitable<void> Session::sync_now() {
    co_await open();
    const Window wanted = everything();
    outcome_.period = wanted;
    co_await store_.set_fact(facts::wanted_from, seconds_text(wanted.begin));
    const Instant since = co_await following_since();
    const auto counted = co_await store_.fact(facts::counted_from);
    const auto local_start = format_local(settings_.start);
    co_await follow_tail(wanted);
    if (outcome_.unread.empty() && (!counted || *counted != local_start)) {
        co_await compare_counts(wanted.begin);
        if (!outcome_.difference) {
            co_await store_.set_fact(facts::counted_from, local_start);
        }
    } else {
        co_await doubt_emptiness(wanted);
    }
    co_await read_again(since);
    co_await cut_back_coverage();
}

// Since when this file follows the account: from the first sync on.
asio::awaitable<Instant> Session::following_since() {
    const auto text = co_await store_.fact(facts::following_since);
    if (text) {
        co_return Instant(Seconds(std::stoll(*text)));
    }
    const Instant now = fetcher_.settled();
    co_await store_.set_fact(facts::following_since, seconds_text(now));
    co_return now;
}

// What has come of age since it was read last.
asio::awaitable<void> Session::read_again(Instant since) {
    if (settings_.audit_ages.empty()) {
        co_return;
    }
    const WindowSet covered = co_await store_.coverage(0);
    WindowSet due;
    for (const Seconds age : settings_.audit_ages) {
        const WindowSet at_age = co_await store_.coverage(age.count());
        const WindowSet due_now = due_at_age(covered, at_age, since, fetcher_.server_now(), age);
        for (const Window& window : due_now.windows()) {
            due.add(window);
        }
    }
    if (!due.empty()) {
        co_await complete(due, std::nullopt);
    }
}

asio::awaitable<void> Session::backfill_now(BackfillRequest request) {
    co_await open();
    const Instant settled = fetcher_.settled();
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
    if (covered.empty()) {
        co_return;
    }
    Window wanted{covered.windows().front().begin, covered.windows().back().end};
    if (request.from) {
        wanted.begin = settings_.zone.align_down(settings_.zone.earliest(*request.from));
    }
    if (request.to) {
        wanted.end = settings_.zone.align_up(settings_.zone.latest(*request.to));
    }
    outcome_.period = wanted;
    Audit audit(executor_, fetcher_, store_, observer_, settings_, experience_, request.options);
    audit_ = co_await audit.run(covered.within(wanted));
    outcome_.written = audit_.written;
    outcome_.unread = audit_.unread;
    std::string found = "everything agrees";
    if (!audit_.places.empty()) {
        found = fmt::format("{} {} that {}", audit_.places.size(),
                            audit_.places.size() == 1 ? "place" : "places",
                            audit_.repaired ? "differed, put right" : "differ");
    } else if (!audit_.unread.empty()) {
        found = "some periods could not be read";
    }
    co_await store_.set_fact(facts::last_audit, found);
    co_await store_.set_fact(facts::last_audit_at, seconds_text(clock_.utc()));
}

// Reads the newest period and whatever else is missing of `wanted`.
asio::awaitable<void> Session::follow_tail(Window wanted) {
    const WindowSet coverage = co_await store_.coverage(0);
    WindowSet todo(wanted);
    todo.subtract(coverage);
    if (coverage.empty()) {
        co_await complete(todo, std::nullopt);
        co_return;
    }
    const Instant mark = coverage.windows().back().end;
    Window tail{mark - settings_.overlap, wanted.end};
    const auto newest = co_await store_.newest_rows(settings_.zone.to_local(wanted.end));
    // A tail that begins with a row of the file cannot be empty: an empty reply is a lie then,
    // and seen as one. It also reaches back to the rows of an API whose zone is behind ours.
    if (newest && newest->rows <= most_witnesses) {
        const Instant witness = settings_.zone.earliest(newest->time);
        if (mark - witness <= furthest_witness) {
            tail.begin = std::min(tail.begin, witness);
        }
    }
    tail.begin = std::max(settings_.zone.align_down(tail.begin), wanted.begin);
    std::optional<Window> first;
    if (wanted.end - mark <= longest_tail) {
        first = tail;
    } else {
        todo.add({mark - settings_.overlap, wanted.end});
    }
    co_await complete(todo, first);
    co_await warn_of_late_hours(mark, newest);
}

asio::awaitable<void> Session::complete(WindowSet todo, std::optional<Window> first) {
    Completion completion(executor_, fetcher_, store_, observer_, settings_, experience_,
                          std::move(todo));
    if (first && !first->empty()) {
        completion.read_first(*first);
    }
    std::exception_ptr failed;
    try {
        co_await completion.run();
    } catch (...) {
        failed = std::current_exception();
    }
    outcome_.written += completion.written();
    for (const UnreadWindow& unread : completion.unread()) {
        outcome_.unread.push_back(unread);
        observer_.warning(fmt::format("{} to {} is left out: {}", format_utc(unread.window.begin),
                                      format_utc(unread.window.end), unread.reason));
    }
    if (failed) {
        std::rethrow_exception(failed);
    }
}

// What was believed empty on the way is asked once more, now that the API has shown rows since.
asio::awaitable<void> Session::doubt_emptiness(Window period) {
    for (int round = 0; round < most_rounds; ++round) {
        const WindowSet believed = experience_.emptiness.take_believed().within(period);
        if (believed.empty()) {
            co_return;
        }
        const auto newest = co_await store_.newest_rows(settings_.zone.to_local(period.end));
        // Without a row in the file there is none that the API must show.
        if (newest && believed.windows().front().begin >= settings_.zone.earliest(newest->time)) {
            const bool agrees = co_await agrees_since(newest->time, believed.windows().back().end);
            if (agrees) {
                co_return;
            }
        }
        if (newest) {
            const std::optional<bool> shows =
                co_await shows_anything(fetcher_, settings_, newest->time);
            if (shows == false) {
                co_return;
            }
        }
        WindowSet wrong;
        std::vector<Window> to_count = believed.windows();
        while (!to_count.empty()) {
            const Window window = to_count.back();
            to_count.pop_back();
            const LocalPeriod span = settings_.zone.span(window);
            // Rows of the seconds next to the window do not count as its own. Where the API's
            // bounds include them, the window would not have been believed empty.
            const std::uint64_t known = co_await store_.count(span.begin, span.end - Seconds(1));
            const std::optional<std::uint64_t> shown =
                co_await count_at_api(fetcher_, settings_, window.begin, window.end);
            const Instant middle = settings_.zone.align_down(window.begin + window.width() / 2);
            if (shown ? *shown > known : middle == window.begin) {
                wrong.add(window);
            } else if (!shown) {
                to_count.push_back({window.begin, middle});
                to_count.push_back({middle, window.end});
            }
        }
        if (wrong.empty()) {
            co_return;
        }
        observer_.warning(
            "the API showed nothing for a period in which it shows impressions now; it is read "
            "again");
        co_await store_.uncover(wrong);
        co_await complete(wrong, std::nullopt);
    }
    co_await leave_out(experience_.emptiness.take_believed().within(period),
                       "the API shows impressions here in one reply and none in the next");
}

// One question that cannot be answered emptily: from the file's newest row on, are there as many as
// the file has? False where it is not known, either.
asio::awaitable<bool> Session::agrees_since(LocalTime row, Instant end) {
    const LocalTime last = settings_.zone.to_local(end);
    const std::uint64_t inside = co_await store_.count(row, last - Seconds(1));
    // Rows at the bounds' own seconds may be counted by the API, or not.
    const std::uint64_t with_bounds =
        co_await store_.count(settings_.zone.second_before(row), last);
    if (inside != with_bounds) {
        co_return false;
    }
    const std::optional<std::uint64_t> shown =
        co_await count_at_api(fetcher_, settings_, settings_.zone.earliest(row), end);
    co_return shown == inside;
}

// Takes back the claim that these windows are whole.
asio::awaitable<void> Session::leave_out(WindowSet windows, std::string reason) {
    if (windows.empty()) {
        co_return;
    }
    co_await store_.uncover(windows);
    for (const Window& window : windows.windows()) {
        outcome_.unread.push_back({window, reason});
    }
}

asio::awaitable<void> Session::compare_counts(Instant begin) {
    for (int round = 0; round < most_rounds; ++round) {
        const bool agree = co_await counts_agree(begin);
        if (agree) {
            outcome_.difference.reset();
            co_await store_.set_fact(facts::count_difference, "");
            co_return;
        }
        co_await repair_counts(round, {begin, fetcher_.settled()});
        if (!outcome_.unread.empty()) {
            co_return;
        }
    }
    // Nor is what still counts as empty to be relied on: the next run reads it again.
    co_await leave_out(experience_.emptiness.take_believed(),
                       "the API showed nothing here, but its count of all impressions is not the "
                       "file's");
    const CountDifference& difference = *outcome_.difference;
    const std::string text =
        difference.api > difference.file_most
            ? fmt::format("the API counts {} more", difference.api - difference.file_most)
            : fmt::format("the API counts {} fewer", difference.file_least - difference.api);
    co_await store_.set_fact(facts::count_difference, text);
    observer_.warning(fmt::format("not whole: {} impressions than the file has", text));
}

// What was empty is the likeliest lie, and costs little to ask again; then an audit finds the rest:
// rows that came late into what had been read, that have gone since, or that a reply withheld.
asio::awaitable<void> Session::repair_counts(int round, Window period) {
    const WindowSet believed = experience_.emptiness.take_believed();
    if (round == 0 && !believed.empty()) {
        observer_.info(
            "the API's count of all impressions is not the file's; the periods without any are "
            "read again");
        co_await store_.uncover(believed);
        co_await complete(believed, std::nullopt);
        co_return;
    }
    observer_.info(
        "the API's count of all impressions is not the file's; an audit finds where they differ");
    AuditOptions options;
    options.repair = true;
    Audit audit(executor_, fetcher_, store_, observer_, settings_, experience_, options);
    const WindowSet covered = co_await store_.coverage(0);
    const AuditReport report = co_await audit.run(covered.within(period));
    outcome_.written += report.written;
    outcome_.unread.insert(outcome_.unread.end(), report.unread.begin(), report.unread.end());
}

// The API's count must lie between the file's before and after the next tail.
asio::awaitable<bool> Session::counts_agree(Instant begin) {
    const LocalTime first = settings_.zone.second_before(settings_.zone.to_local(begin));
    Instant end = fetcher_.settled();
    // Bounds in the hour that occurs twice may be read as either pass of it.
    if (settings_.zone.touches_repeated_hour({end, end + Seconds(1)})) {
        end -= Seconds(1);
    }
    const LocalTime last = settings_.zone.to_local(end);
    // Whether the API counts rows at the bounds themselves is unknown, and the file may have some.
    const std::uint64_t before =
        co_await store_.count(settings_.zone.to_local(begin), last - Seconds(1));
    std::optional<std::uint64_t> shown = co_await count_at_api(fetcher_, settings_, begin, end);
    if (shown == 0) {
        // Nothing at all: a new account, or a server that answers emptily.
        const std::optional<bool> anything =
            co_await shows_anything(fetcher_, settings_, std::nullopt);
        if (anything == true) {
            shown = co_await count_at_api(fetcher_, settings_, begin, end);
        }
    }
    co_await follow_tail({begin, fetcher_.settled()});
    if (!shown) {
        observer_.info(
            "the API does not count so long a period, so its count of everything is not compared");
        co_await doubt_emptiness({begin, fetcher_.settled()});
        co_return true;
    }
    const std::uint64_t after = co_await store_.count(first, last);
    if (before <= *shown && *shown <= after) {
        co_return true;
    }
    CountDifference difference;
    difference.api = *shown;
    difference.file_least = before;
    difference.file_most = after;
    outcome_.difference = difference;
    co_return false;
}

// Rows whose zone is behind ours come into periods that were covered before, always as late as
// the zones differ.
asio::awaitable<void> Session::warn_of_late_hours(Instant mark_before,
                                                  std::optional<NewestRows> newest_before) {
    const auto newest = co_await store_.newest_rows(settings_.zone.to_local(fetcher_.settled()));
    if (!newest || (newest_before && newest->time <= newest_before->time)) {
        co_return;
    }
    const Instant at = settings_.zone.latest(newest->time);
    const Seconds least = mark_before - at;  // it was not there at the last visit
    const Seconds most = fetcher_.server_now() - at;
    const Seconds hours = std::chrono::floor<std::chrono::hours>(most + settings_.overlap);
    const bool at_whole_hours = hours >= std::chrono::hours(1) && hours <= furthest_zones &&
                                hours >= least - settings_.overlap && most - least <= longest_tail;
    if (least > settings_.overlap && at_whole_hours) {
        observer_.warning(fmt::format(
            "new impressions carry a time that is {} h behind the API's clock: is [api] time_zone "
            "({}) the account's?",
            std::chrono::duration_cast<std::chrono::hours>(hours).count(), settings_.zone.name()));
    }
}

}  // namespace mirror::sync

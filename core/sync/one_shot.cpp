#include "core/sync/one_shot.hpp"

#include <algorithm>
#include <exception>
#include <map>
#include <string>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "core/sync/gap_filler.hpp"
#include "core/sync/horizon.hpp"
#include "core/sync/horizon_seeker.hpp"
#include "core/sync/metadata.hpp"
#include "core/sync/newest_row.hpp"
#include "core/sync/retention.hpp"
#include "core/sync/run_recorder.hpp"
#include "core/sync/sweep.hpp"
#include "core/sync/tail.hpp"
#include "core/sync/verifier.hpp"
#include "core/time/text.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// A command that ends by itself tries everything that is missing.
const WindowSet nothing_postponed;

// The result of an audit, for people.
std::string found_by(const AuditReport& report) {
    if (report.nothing_covered) {
        return "nothing to compare";
    }
    if (!report.places.empty()) {
        return fmt::format("{} {} that {}", report.places.size(),
                           report.places.size() == 1 ? "place" : "places",
                           report.repaired ? "differed, put right" : "differ");
    }
    if (!report.unread.empty()) {
        return "some periods could not be read";
    }
    return report.uncovered.empty() ? "everything agrees"
                                    : "periods that are not complete; the rest agrees";
}

}  // namespace

asio::awaitable<Outcome> OneShot::sync() {
    co_await recorded("sync", sync_now());
    co_return std::move(outcome_);
}

asio::awaitable<Outcome> OneShot::backfill(BackfillRequest request) {
    co_await recorded("backfill", backfill_now(request));
    co_return std::move(outcome_);
}

asio::awaitable<AuditReport> OneShot::audit(AuditRequest request) {
    co_await recorded("audit", audit_now(request));
    audit_.requests = outcome_.requests;
    co_return std::move(audit_);
}

// Runs the work and writes down how it ended, whatever that is.
asio::awaitable<void> OneShot::recorded(const char* kind, asio::awaitable<void> work) {
    RunRecorder recorder(context_, kind);
    recorder.begin();
    RunRecorder::Ending ending;
    try {
        co_await std::move(work);
    } catch (...) {
        ending.failed = std::current_exception();
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    outcome_.requests = context_.client.requests();
    ending.file_is_ours = preflight_.file_is_ours();
    ending.compared_nothing = audit_.nothing_covered;
    if (ending.file_is_ours) {
        co_await note_page_width(ending.failed && context_.stop.requested());
    }
    co_await recorder.ended(outcome_, std::move(ending));
}

// What a page held, for the run that goes on where this one was stopped.
asio::awaitable<void> OneShot::note_page_width(bool stopped) {
    std::string text;
    const auto width = context_.adaptive.planner.page_width(context_.settings.page_size);
    if (stopped && width) {
        text = std::to_string(std::max<std::int64_t>(width->count(), 1));
    }
    const std::optional<std::string> known = co_await context_.store.fact(metadata::page_seconds);
    if (known.value_or("") != text) {
        co_await context_.store.set_fact(metadata::page_seconds, text);
    }
}

asio::awaitable<void> OneShot::expect_page_width() {
    const std::optional<std::string> text = co_await context_.store.fact(metadata::page_seconds);
    const auto seconds = text ? read_decimal<std::int64_t>(*text) : std::nullopt;
    if (seconds && *seconds > 0) {
        context_.adaptive.planner.expect_page(Seconds(*seconds));
    }
}

asio::awaitable<void> OneShot::sync_now() {
    co_await preflight_.run();
    co_await expect_page_width();
    // First, since it needs no request: what is fetched may end at the day's budget.
    co_await learn_erased_before(context_);
    co_await erase_old(context_, std::nullopt);
    const Window wanted = context_.everything();
    outcome_.period = wanted;
    co_await context_.store.set_fact(metadata::wanted_from, metadata::seconds_text(wanted.begin));
    const Instant since = co_await following_since(context_);
    Verifier verifier(context_, nothing_postponed, outcome_);
    const bool count_is_due = co_await verifier.count_is_due();
    co_await catch_up(context_, wanted, wanted.begin, nothing_postponed, outcome_);
    throw_if_held_back();
    if (outcome_.unread.empty() && count_is_due && outcome_.written.doubted == 0) {
        co_await verifier.compare_counts(wanted.begin);
    } else {
        co_await verifier.verify_emptiness(wanted);
    }
    co_await recheck(context_, since, std::nullopt, nothing_postponed, outcome_);
    co_await sweep(context_, std::nullopt, nothing_postponed, outcome_);
    co_await cut_kept(context_, std::nullopt);
    if (outcome_.unread.empty() && context_.adaptive.expiry_suspected) {
        co_await verifier.compare_counts(wanted.begin);
        co_await recheck(context_, since, std::nullopt, nothing_postponed, outcome_);
    }
    co_await cut_back_coverage(context_);
}

// A run that stops at today's budget has not succeeded.
void OneShot::throw_if_held_back() const {
    if (outcome_.held_back) {
        throw BudgetSpent(context_.requests.why_spent());
    }
}

asio::awaitable<void> OneShot::backfill_now(BackfillRequest request) {
    co_await preflight_.run();
    co_await expect_page_width();
    // What it covers may be young, and has to be read again when it is not.
    co_await following_since(context_);
    co_await learn_erased_before(context_);
    const Zone& zone = context_.settings.zone;
    const Instant settled = context_.client.settled();
    Window wanted;
    wanted.begin = zone.align_down(zone.earliest(request.from));
    wanted.end = request.to ? std::min(settled, zone.align_up(zone.latest(*request.to))) : settled;
    if (context_.erased_before && *context_.erased_before < wanted.end) {
        wanted.begin = std::max(wanted.begin, *context_.erased_before);
    }
    outcome_.period = wanted;
    if (wanted.empty()) {
        co_return;
    }
    FillRequest missing{WindowSet(wanted)};
    WindowSet covered = co_await context_.store.coverage(0);
    if (request.force) {
        // What has expired at the API would look as if it were removed.
        const std::optional<Instant> shown_from =
            co_await first_shown_now(context_, covered.within(wanted));
        covered = shown_from ? covered.within({wanted.begin, *shown_from}) : WindowSet();
    }
    missing.todo.subtract(covered);
    missing.stored_before = request.force;
    missing.direction = co_await backfill_direction(missing.todo);
    co_await fill_gaps(context_, std::move(missing), outcome_);
    throw_if_held_back();
    const bool all = request.from <= context_.settings.start && wanted.end == settled;
    Verifier verifier(context_, nothing_postponed, outcome_);
    if (all && outcome_.unread.empty() && outcome_.written.doubted == 0) {
        co_await verifier.compare_counts(std::max(wanted.begin, context_.everything().begin));
    } else {
        co_await verifier.verify_emptiness(wanted);
    }
    if (outcome_.unread.empty() && context_.adaptive.expiry_suspected) {
        co_await verifier.compare_counts(context_.everything().begin);
    }
}

asio::awaitable<void> OneShot::prune_before_horizon() {
    const plan::Horizon horizon = co_await load_horizon(context_.store);
    if (horizon.begin) {
        audit_.pruned +=
            co_await context_.store.prune_before(context_.settings.zone.to_local(*horizon.begin));
        co_await context_.store.set_fact(metadata::rows_before_horizon, "0");
    }
}

// Rows that nothing of the file follows are appended, at less cost.
asio::awaitable<plan::Direction> OneShot::backfill_direction(const WindowSet& todo) {
    if (todo.empty()) {
        co_return plan::Direction::newest_first;
    }
    const Zone& zone = context_.settings.zone;
    const LocalTime end = zone.to_local(todo.windows().back().end);
    const auto newest = co_await context_.store.newest_rows(after_all_rows);
    const bool appends = !newest || newest->time < end;
    co_return appends ? plan::Direction::oldest_first : plan::Direction::newest_first;
}

asio::awaitable<void> OneShot::audit_now(AuditRequest request) {
    co_await preflight_.run();
    if (request.options.repair) {
        // As with a backfill: what it fetches may be young, and has to be read again later.
        co_await following_since(context_);
    }
    const Zone& zone = context_.settings.zone;
    WindowSet covered = co_await context_.store.coverage(0);
    Window wanted = context_.everything();
    if (!covered.empty()) {
        wanted = {covered.windows().front().begin, covered.windows().back().end};
    }
    const Instant newest = wanted.end;
    if (request.from) {
        wanted.begin = zone.align_down(zone.earliest(*request.from));
    }
    if (request.to) {
        wanted.end = zone.align_up(zone.latest(*request.to));
    }
    outcome_.period = wanted;
    // What has expired at the API cannot be compared.
    const std::optional<Instant> shown_from =
        co_await first_shown_now(context_, covered.within(wanted));
    wanted.begin = std::max(wanted.begin, shown_from.value_or(wanted.begin));
    WindowSet gaps({wanted.begin, std::min(wanted.end, newest)});
    gaps.subtract(covered);
    if (request.options.repair && !gaps.empty()) {
        FillRequest missing(gaps);
        co_await fill_gaps(context_, std::move(missing), outcome_);
        covered = co_await context_.store.coverage(0);
        gaps.subtract(covered);
    }
    const WindowSet to_compare = covered.within(wanted);
    Audit audit(context_, request.options);
    audit_ = co_await audit.run(to_compare);
    if (request.options.prune && request.before_horizon) {
        co_await prune_before_horizon();
    }
    audit_.nothing_covered = to_compare.empty();
    audit_.uncovered = std::move(gaps);
    outcome_.written += audit_.written;
    outcome_.unread.insert(outcome_.unread.end(), audit_.unread.begin(), audit_.unread.end());
    audit_.written = outcome_.written;
    audit_.unread = outcome_.unread;
    const std::string found = found_by(audit_);
    if (!audit_.nothing_covered && !audit_.places.empty() && !audit_.repaired) {
        outcome_.found = "an audit found " + found;
    }
    std::map<std::string, std::string> facts;
    facts[metadata::last_audit] = found;
    facts[metadata::last_audit_agrees] = audit_.agrees() ? "1" : "0";
    facts[metadata::last_audit_at] = metadata::seconds_text(context_.clock.utc());
    co_await context_.store.set_facts(std::move(facts));
}

}  // namespace mirror::sync

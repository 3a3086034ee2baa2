#include "core/sync/tail.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/plan/mass_removal.hpp"
#include "core/plan/recheck.hpp"
#include "core/plan/tail_plan.hpp"
#include "core/sync/gap_filler.hpp"
#include "core/sync/horizon.hpp"
#include "core/sync/metadata.hpp"
#include "core/util/decimal.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// How often `run` warns of the zone.
constexpr std::chrono::hours zone_warning_interval(24);

asio::awaitable<plan::ZoneEvidence> load_zone_evidence(Store& store) {
    const std::optional<std::string> hours = co_await store.fact(metadata::zone_behind_hours);
    const std::optional<std::string> times = co_await store.fact(metadata::zone_behind_times);
    plan::ZoneEvidence evidence;
    evidence.hours = std::chrono::hours(hours ? read_decimal<std::int64_t>(*hours).value_or(0) : 0);
    evidence.times = times ? read_decimal<int>(*times).value_or(0) : 0;
    co_return evidence;
}

// Rows whose zone is behind ours come into periods that were covered before, always as late as
// the zones differ.
asio::awaitable<void> warn_of_late_hours(RunContext& context, Instant mark_before,
                                         std::optional<NewestRows> newest_before) {
    const Zone& zone = context.settings.zone;
    const auto newest = co_await context.store.newest_rows(zone.to_local(context.client.settled()));
    if (!newest || (newest_before && newest->time <= newest_before->time)) {
        co_return;
    }
    const plan::ZoneEvidence known = co_await load_zone_evidence(context.store);
    const plan::ZoneEvidence evidence =
        plan::weigh_zone(known, newest->time, mark_before, context.client.server_now(),
                         context.settings.overlap, zone);
    if (evidence != known) {
        std::map<std::string, std::string> facts;
        facts[metadata::zone_behind_hours] = std::to_string(evidence.hours.count());
        facts[metadata::zone_behind] =
            evidence.convincing() ? std::to_string(evidence.hours.count()) : std::string();
        facts[metadata::zone_behind_times] = std::to_string(evidence.times);
        co_await context.store.set_facts(std::move(facts));
    }
    const Monotonic now = context.client.monotonic();
    std::optional<Monotonic>& warned = context.adaptive.zone_warned;
    if (evidence.convincing() && (!warned || now - *warned >= zone_warning_interval)) {
        warned = now;
        context.observer.warning(fmt::format(
            "new {} carry a time that is {} h behind the API's clock: is [api] time_zone "
            "({}) the account's?",
            context.stream().name, evidence.hours.count(), zone.name()));
    }
}

}  // namespace

asio::awaitable<void> catch_up(RunContext& context, Window wanted, Instant earliest,
                               const WindowSet& postponed, Outcome& outcome, copernica::Lane lane,
                               Seconds reach) {
    const Zone& zone = context.settings.zone;
    const Semaphore::Permit turn = co_await context.newest_period.take();
    plan::TailSituation situation;
    situation.wanted = wanted;
    situation.coverage = co_await context.store.coverage(0);
    if (situation.coverage.empty()) {
        FillRequest all{WindowSet(wanted)};
        all.direction = plan::Direction::oldest_first;
        all.lane = lane;
        co_await fill_gaps(context, std::move(all), outcome);
        co_return;
    }
    const Instant mark = situation.coverage.windows().back().end;
    const std::optional<NewestRows> newest =
        co_await newest_shown(context, zone.to_local(wanted.end));
    if (newest) {
        situation.newest = plan::NewestSecond{newest->time, newest->rows};
    }
    situation.earliest = earliest;
    situation.postponed = postponed;
    situation.overlap = context.settings.overlap;
    situation.reach = reach;

    plan::TailPlan planned = plan::plan_tail(situation, zone);
    const Instant planned_from = planned.todo.empty() ? mark : planned.todo.windows().front().begin;
    FillRequest request(std::move(planned.todo));
    request.first = planned.first;
    request.direction = planned.direction;
    request.lane = lane;
    // What is missing before the mark belongs to the past.
    const bool all_new = planned_from >= mark - context.settings.overlap;
    request.purpose = all_new ? plan::Purpose::tail : plan::Purpose::past;
    co_await fill_gaps(context, std::move(request), outcome);
    co_await warn_of_late_hours(context, mark, newest);
}

asio::awaitable<Instant> tail_begin(RunContext& context, Window wanted) {
    const Zone& zone = context.settings.zone;
    plan::TailSituation situation;
    situation.wanted = wanted;
    situation.coverage = co_await context.store.coverage(0);
    if (situation.coverage.empty()) {
        co_return zone.align_down(wanted.end - first_tail);
    }
    const std::optional<NewestRows> newest =
        co_await newest_shown(context, zone.to_local(wanted.end));
    if (newest) {
        situation.newest = plan::NewestSecond{newest->time, newest->rows};
    }
    situation.earliest = wanted.begin;
    situation.overlap = context.settings.overlap;
    const plan::TailPlan planned = plan::plan_tail(situation, zone);
    const Instant mark = situation.coverage.windows().back().end - situation.overlap;
    co_return zone.align_down(planned.first ? std::min(planned.first->begin, mark) : mark);
}

asio::awaitable<void> recheck(RunContext& context, Instant since,
                              std::optional<Monotonic> stop_after, const WindowSet& postponed,
                              Outcome& outcome) {
    const WindowSet covered = co_await context.store.coverage(0);
    // A mass of rows was missing there.
    WindowSet due = co_await context.store.doubts(context.clock.utc() - plan::mass_removal_pause);
    const std::vector<Seconds> ages = context.settings.recheck_ages;  // a reload may change them
    for (const Seconds age : ages) {
        const WindowSet at_age = co_await context.store.coverage(age.count());
        const WindowSet due_now =
            plan::due_at_age(covered, at_age, since, context.client.server_now(), age);
        due.add(due_now);
    }
    due.subtract(postponed);
    co_await leave_out_expired(context, due);
    if (due.empty()) {
        co_return;
    }
    co_await leave_out_suspected(context, due);
    FillRequest request(std::move(due));
    request.purpose = plan::Purpose::recheck;
    request.stop_after = stop_after;
    request.stored_before = true;
    co_await fill_gaps(context, std::move(request), outcome);
}

}  // namespace mirror::sync

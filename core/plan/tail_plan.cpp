#include "core/plan/tail_plan.hpp"

#include <algorithm>

#include "core/plan/horizon.hpp"

namespace mirror::plan {
namespace {

// The rows that a tail may read again to begin with a row of the file.
constexpr std::uint64_t most_witnesses = 100;

// A tail that is at most so long is read as one window.
constexpr Seconds longest_tail{3600};

// No two zones are further apart.
constexpr std::chrono::hours furthest_zones(26);

}  // namespace

TailPlan plan_tail(const TailSituation& situation, const Zone& zone) {
    const Instant mark = situation.coverage.windows().back().end;
    Window tail{mark - situation.overlap, situation.wanted.end};
    if (situation.newest && situation.newest->rows <= most_witnesses) {
        const Instant witness = zone.earliest(situation.newest->time);
        // An older one may have expired at the API. An account that is silent for so long is asked
        // about its silence once more instead.
        if (situation.wanted.end - witness <= least_retention) {
            tail.begin = std::min(tail.begin, witness);
        }
    }
    const Instant unbroken_from = situation.coverage.windows().back().begin;
    const Instant reached = std::max(situation.wanted.end - situation.reach, unbroken_from);
    tail.begin = std::min(tail.begin, reached);
    tail.begin = std::max(zone.align_down(tail.begin), situation.earliest);
    // It does not reach back over what could not be read a moment ago, either.
    for (const Window& window : situation.postponed.windows()) {
        if (window.begin < mark) {
            tail.begin = std::max(tail.begin, window.end);
        }
    }

    TailPlan plan;
    plan.todo = WindowSet(situation.wanted);
    plan.todo.subtract(situation.coverage);
    if (situation.wanted.end - mark <= longest_tail) {
        plan.first = tail;
    } else {
        plan.todo.add({mark - situation.overlap, situation.wanted.end});
    }
    plan.todo.subtract(situation.postponed);
    // If nothing older is missing, everything that is missing is appended.
    const bool appends = !plan.first && !plan.todo.empty() &&
                         plan.todo.windows().front().begin >= mark - situation.overlap;
    plan.direction = appends ? Direction::oldest_first : Direction::newest_first;
    return plan;
}

Seconds unbroken_reach(const WindowSet& coverage, const WindowSet& postponed, Window everything) {
    std::optional<Instant> from;
    if (!coverage.empty() && coverage.windows().back().begin > everything.begin) {
        from = coverage.windows().back().begin;
    }
    for (const Window& window : postponed.windows()) {
        if (window.begin < everything.end) {
            from = std::max(from.value_or(window.end), window.end);
        }
    }
    return from ? std::max(everything.end - *from, Seconds(0)) : Seconds::max();
}

Window mistaken_coverage(Instant settled, Instant claimed_end, Seconds tolerance) {
    const Seconds beyond = claimed_end - settled;
    if (beyond <= tolerance) {
        return {settled, claimed_end};
    }
    const auto hours =
        std::min(std::chrono::ceil<std::chrono::hours>(beyond - tolerance), furthest_zones);
    return {settled - hours, claimed_end};
}

Instant rules_in_doubt_since(Instant at, const Zone& zone) {
    const Instant a_year_ago = at - std::chrono::hours(24 * 366);
    Instant since = a_year_ago;
    for (auto change = zone.next_change(a_year_ago); change && *change < at;
         change = zone.next_change(*change)) {
        since = *change;
    }
    return since - furthest_zones;
}

std::optional<std::chrono::hours> hours_behind(LocalTime newest, Instant mark_before,
                                               Instant server_now, Seconds overlap,
                                               const Zone& zone) {
    const Instant at = zone.latest(newest);
    const Seconds least = mark_before - at;  // it was not there at the last visit
    const Seconds most = server_now - at;
    const auto hours = std::chrono::floor<std::chrono::hours>(most + overlap);
    const bool at_whole_hours = hours >= std::chrono::hours(1) && hours <= furthest_zones &&
                                hours >= least - overlap && most - least <= longest_tail;
    return least > overlap && at_whole_hours ? std::optional(hours) : std::nullopt;
}

ZoneEvidence weigh_zone(const ZoneEvidence& known, LocalTime newest, Instant mark_before,
                        Instant server_now, Seconds overlap, const Zone& zone) {
    if (const auto sure = hours_behind(newest, mark_before, server_now, overlap, zone)) {
        return {*sure, ZoneEvidence::enough};
    }
    const Seconds age = server_now - zone.latest(newest);
    if (age < std::chrono::hours(1) - overlap) {
        return {};
    }
    const auto hours = std::chrono::round<std::chrono::hours>(age);
    const bool whole = hours <= furthest_zones && age >= hours - overlap && age <= hours + overlap;
    if (!whole) {
        return known;
    }
    const int before = known.hours == hours ? known.times : 0;
    return {hours, std::min(before + 1, ZoneEvidence::enough)};
}

}  // namespace mirror::plan

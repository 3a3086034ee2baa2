#include "storage/removal_guard.hpp"

#include <utility>

#include "core/plan/mass_removal.hpp"

namespace mirror::storage {

RemovalGuard::Result RemovalGuard::apply(const sync::WholeWindow& whole,
                                         const std::vector<IdConflict>& conflicts,
                                         std::optional<Instant> expired_before,
                                         const WriteTimes& times, Instant now) {
    Result result;
    if (now - tally_.since >= plan::mass_removal_pause || now < tally_.since) {
        tally_ = {};
        tally_.since = now;
    }
    doubts_.not_later_than(now);
    const Removals::Missing missing = removals_.missing(whole, conflicts, expired_before);
    tally_.held += missing.held;
    const WindowSet doubted = doubts_.noticed_until(Instant::max()).within(whole.proven);
    if (missing.rows.empty() && doubted.empty()) {
        return result;
    }
    const WindowSet decided =
        doubts_.noticed_until(now - plan::mass_removal_pause).within(whole.proven);
    std::vector<std::int64_t> agreed;
    std::vector<std::int64_t> fresh;
    std::uint64_t waiting = 0;
    for (const Removals::MissingRow& row : missing.rows) {
        const Instant at = zone_.earliest(row.time);
        if (decided.contains({at, at + Seconds(1)})) {
            agreed.push_back(row.id);
        } else if (doubted.contains({at, at + Seconds(1)})) {
            ++waiting;
        } else {
            fresh.push_back(row.id);
        }
    }
    removals_.mark(agreed, times, result.marked);
    result.doubted += waiting;
    if (waiting == 0) {
        doubts_.settle(whole.proven);  // what was decided now, and what is there again
    } else {
        for (const Window& window : decided.windows()) {
            doubts_.settle(window);
        }
    }
    if (fresh.empty()) {
        return result;
    }
    tally_.mass |= plan::is_mass_removal(tally_.gone + fresh.size(), tally_.held);
    if (tally_.mass) {
        doubt(whole.proven, fresh.size(), times, now, result);
    } else {
        mark(whole.proven, std::move(fresh), times, result);
    }
    return result;
}

void RemovalGuard::mark(const Window& window, std::vector<std::int64_t> ids,
                        const WriteTimes& times, Result& result) {
    removals_.mark(ids, times, result.marked);
    tally_.gone += ids.size();
    tally_.marked.push_back({window, std::move(ids)});
}

// What was marked before it was known how many there are is in doubt, too.
void RemovalGuard::doubt(const Window& window, std::uint64_t rows, const WriteTimes& times,
                         Instant now, Result& result) {
    for (const Marked& marked : std::exchange(tally_.marked, {})) {
        const std::uint64_t unmarked = removals_.unmark(marked.ids, times);
        if (unmarked > 0) {
            doubts_.add(marked.window, now, unmarked);
        }
        result.unmarked += unmarked;
        result.doubted += unmarked;
    }
    doubts_.add(window, now, rows);
    result.doubted += rows;
}

}  // namespace mirror::storage

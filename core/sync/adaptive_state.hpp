// What is learned while windows are read, and outlives one set of them.
#pragma once

#include <cstdint>
#include <optional>

#include "core/plan/emptiness.hpp"
#include "core/plan/list_traits.hpp"
#include "core/plan/page_size.hpp"
#include "core/plan/reading_way.hpp"
#include "core/plan/width.hpp"
#include "core/plan/window_reader.hpp"
#include "core/time/clock.hpp"

namespace mirror::sync {

struct AdaptiveState {
    /// `most_records`: in a page, as configured.
    explicit AdaptiveState(std::uint32_t most_records)
        : planner(std::uint64_t{pages_a_window} * most_records), page_size(most_records) {}

    /// Pages that memory has room for, for each connection: the window that is being read, and most
    /// of one that is whole and waits for older ones, so that no connection has to. All of them are
    /// what a kill costs at the most, but for a window of a list in no order: it cannot end earlier
    /// and may have twice as many pages as it should.
    static constexpr std::uint32_t pages_a_connection = 16;

    /// Enough to fill them well.
    static constexpr std::uint32_t pages_a_window = 10;

    plan::WidthPlanner planner;
    plan::PageSize page_size;
    plan::ListTraits list;
    plan::ReadingWay way;
    plan::EmptinessLedger emptiness;

    /// The API does not show an old row of the file: a count is to tell whether it has expired.
    bool expiry_suspected = false;
    /// When a count last told that nothing has.
    std::optional<Monotonic> nothing_expired_at;
    /// When a warning of the zone was last given.
    std::optional<Monotonic> zone_warned;
};

}  // namespace mirror::sync

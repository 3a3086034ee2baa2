// Makes a set of windows whole, and reports what could not be read.
#pragma once

#include <optional>

#include <boost/asio/awaitable.hpp>

#include "core/plan/window_scheduler.hpp"
#include "core/sync/load_meter.hpp"
#include "core/sync/outcome.hpp"
#include "core/sync/run_context.hpp"
#include "core/time/clock.hpp"

namespace mirror::sync {

/// What is to be made whole, and how.
struct FillRequest {
    explicit FillRequest(WindowSet windows) : todo(std::move(windows)) {}

    WindowSet todo;
    std::optional<Window> first;          ///< to be read before everything else
    std::optional<Monotonic> stop_after;  ///< no window is begun later
    plan::Direction direction = plan::Direction::newest_first;
    copernica::Lane lane = copernica::Lane::backlog;
    bool stored_before = false;  ///< what is read is in the file, mostly
    /// Measures a load that is done in several pieces; nothing: this piece is all of it.
    LoadMeter* meter = nullptr;
    plan::Purpose purpose = plan::Purpose::past;  ///< of all but `first`, which is the tail
};

/// Adds what was written and what could not be read to the outcome, however it ends. Throws what
/// ends a run.
boost::asio::awaitable<void> fill_gaps(RunContext& context, FillRequest request, Outcome& outcome);

/// Takes back the claim that these windows are whole, and adds them to the outcome.
boost::asio::awaitable<void> mark_unread(RunContext& context, WindowSet windows, std::string reason,
                                         Outcome& outcome);

}  // namespace mirror::sync

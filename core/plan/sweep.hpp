// Reading everything again, evenly and without end, because old rows change without a sign. Pure.
#pragma once

#include <optional>

#include "core/time/window.hpp"

namespace mirror::plan {

/// How far the sweep is. Times are the server's.
struct SweepState {
    Instant began{};     ///< when it last began at the oldest moment
    Instant position{};  ///< what is older has been read since
    Instant read_at{};   ///< when the last step was done
    friend bool operator==(const SweepState&, const SweepState&) = default;
};

/// What to read now, and the state after it was read.
struct SweepStep {
    Window window;  ///< empty: nothing yet, the sweep begins
    SweepState after;
};

/// A sweep goes through `all` from its begin to its end in `period`, in steps of a day (or a tenth
/// of the period, if that is shorter), each as wide as the time since the last one is a part of the
/// time that is left. If it is late it catches up. Nothing: no step is due.
std::optional<SweepStep> next_sweep(const std::optional<SweepState>& state, const Window& all,
                                    Instant server_now, Seconds period);

}  // namespace mirror::plan

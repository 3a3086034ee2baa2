// The result of a run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/plan/count_check.hpp"
#include "core/plan/unread_window.hpp"
#include "core/sync/store.hpp"
#include "core/time/window.hpp"

namespace mirror::sync {

/// Whoever works on a run adds to it as the work goes on, so that it is right after an exception,
/// too.
struct Outcome {
    Window period;  ///< what the run was to complete
    Written written;
    std::uint64_t requests = 0;
    std::vector<plan::UnreadWindow> unread;
    std::optional<plan::CountDifference> difference;
    std::optional<std::string> found;  ///< by an audit, and not repaired
    bool held_back = false;            ///< the day's budget of requests has left something undone

    /// Rows in doubt are in the file, too.
    bool whole() const { return unread.empty() && !difference && !found; }
};

}  // namespace mirror::sync

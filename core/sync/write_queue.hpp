// Whole windows that wait to be written, and the order in which they are.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "core/plan/window_scheduler.hpp"
#include "core/sync/store.hpp"

namespace mirror::sync {

/// Oldest first means that nothing is written before what is older and will be there soon: SQLite
/// appends at half the cost of putting rows between others. Newest first takes what comes.
class WriteQueue {
  public:
    explicit WriteQueue(plan::Direction direction) : direction_(direction) {}

    void push(WholeWindow whole);

    /// What is to be written now. `awaited`: the begin of the oldest window that is being read and
    /// worth waiting for; nothing if there is none, since what waits may be what takes the memory.
    /// `untaken`: the begin of the oldest that nobody reads yet.
    [[nodiscard]] std::vector<WholeWindow> take(std::optional<Instant> awaited,
                                                std::optional<Instant> untaken);

  private:
    plan::Direction direction_;
    std::deque<WholeWindow> windows_;
};

}  // namespace mirror::sync

#include "daemon/service/storage_progress.hpp"

namespace mirror::daemon {

bool StorageProgress::moves(const storage::Activity& now) {
    const bool busy = now.asked != now.done;
    const bool moved = now.done != last_.done || now.steps != last_.steps;
    // What was begun since the last look has had no time yet.
    const bool moves = !busy || !was_busy_ || moved;
    was_busy_ = busy;
    last_ = now;
    return moves;
}

}  // namespace mirror::daemon

#include "core/sync/write_queue.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mirror::sync {

void WriteQueue::push(WholeWindow whole) {
    auto place = windows_.end();
    if (direction_ == plan::Direction::oldest_first) {
        place = std::upper_bound(
            windows_.begin(), windows_.end(), whole.window.begin,
            [](Instant begin, const WholeWindow& queued) { return begin < queued.window.begin; });
    }
    windows_.insert(place, std::move(whole));
}

std::vector<WholeWindow> WriteQueue::take(std::optional<Instant> awaited,
                                          std::optional<Instant> untaken) {
    auto end = windows_.end();
    if (direction_ == plan::Direction::oldest_first && awaited) {
        const Instant oldest = std::min(untaken.value_or(Instant::max()), *awaited);
        end = std::find_if(windows_.begin(), windows_.end(), [oldest](const WholeWindow& queued) {
            return queued.window.begin > oldest;
        });
    }
    std::vector<WholeWindow> taken(std::make_move_iterator(windows_.begin()),
                                   std::make_move_iterator(end));
    windows_.erase(windows_.begin(), end);
    return taken;
}

}  // namespace mirror::sync

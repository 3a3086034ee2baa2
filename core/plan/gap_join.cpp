#include "core/plan/gap_join.hpp"

#include <cassert>

namespace mirror::plan {

WindowSet join_gaps(const WindowSet& gaps, const std::vector<bool>& little_after) {
    const std::vector<Window>& windows = gaps.windows();
    assert(little_after.size() + 1 >= windows.size());
    WindowSet joined;
    for (std::size_t i = 0; i < windows.size(); ++i) {
        const bool with_previous = i > 0 && little_after[i - 1];
        joined.add({with_previous ? windows[i - 1].begin : windows[i].begin, windows[i].end});
    }
    return joined;
}

}  // namespace mirror::plan

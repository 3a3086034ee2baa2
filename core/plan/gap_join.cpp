#include "core/plan/gap_join.hpp"

namespace mirror::plan {

WindowSet between_many(const WindowSet& gaps) {
    if (gaps.windows().size() <= gaps_read_one_by_one) {
        return {};
    }
    WindowSet between(Window{gaps.windows().front().begin, gaps.windows().back().end});
    between.subtract(gaps);
    return between;
}

}  // namespace mirror::plan

#include "core/plan/unread_ledger.hpp"

#include <algorithm>
#include <utility>

namespace mirror::plan {

bool UnreadLedger::note(std::vector<UnreadWindow> failed, const WindowSet& covered) {
    std::erase_if(unread_, [&](const UnreadWindow& before) {
        const bool failed_again =
            std::any_of(failed.begin(), failed.end(), [&](const UnreadWindow& unread) {
                return !intersection(unread.window, before.window).empty();
            });
        const bool waits = !postponed_.within(before.window).empty();
        return failed_again || (!waits && covered.contains(before.window));
    });
    const bool first = postponed_.empty();
    for (UnreadWindow& unread : failed) {
        postponed_.add(unread.window);
        if (std::find(unread_.begin(), unread_.end(), unread) == unread_.end()) {
            unread_.push_back(std::move(unread));
        }
    }
    return first;
}

}  // namespace mirror::plan

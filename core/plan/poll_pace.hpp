// How often polls ask. Pure.
#pragma once

#include <algorithm>

#include "core/time/instant.hpp"

namespace mirror::plan {

/// While nothing comes, the time between polls doubles from one interval to the other; with the
/// first new row it is the first again.
class PollPace {
  public:
    /// A poll has ended.
    void polled(bool new_rows) {
        constexpr int most_doublings = 20;
        idle_polls_ = new_rows ? 0 : std::min(idle_polls_ + 1, most_doublings);
    }

    /// From the begin of that poll to the begin of the next.
    Seconds between(Seconds interval, Seconds idle_interval) const {
        return std::min(interval * (1 << idle_polls_), std::max(interval, idle_interval));
    }

  private:
    int idle_polls_ = 0;
};

}  // namespace mirror::plan

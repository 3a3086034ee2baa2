#include "daemon/config/longest_pause.hpp"

#include <algorithm>
#include <optional>

#include "core/plan/request_budget.hpp"

namespace mirror::daemon {

Seconds longest_pause(const Config& config) {
    Seconds longest = config.mirror.idle_poll_interval.value_or(Seconds(0));
    for (const std::string& name : config.mirror.streams) {
        const std::optional<Seconds> own = config.of_stream(name).poll_interval;
        longest = std::max(longest, own.value_or(config.mirror.poll_interval));
    }
    constexpr Seconds day(24 * 3600);
    plan::BudgetState budget;
    budget.limit = config.api.requests_per_day;
    budget.poll_interval = longest;
    budget.streams = static_cast<unsigned>(config.mirror.streams.size());
    budget.left_of_day = day;
    return plan::poll_pause(budget);
}

}  // namespace mirror::daemon

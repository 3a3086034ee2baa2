#include "daemon/commands/run_settings.hpp"

#include <algorithm>
#include <optional>

#include "core/plan/request_budget.hpp"

namespace mirror::daemon {

sync::Settings settings_of(Command command, const Config& config) {
    sync::Settings settings{Zone(config.api.time_zone)};
    if (config.mirror.start) {
        settings.start = *config.mirror.start;
    }
    settings.page_size = config.api.page_size;
    settings.connections = config.api.connections;
    settings.requests_per_day = config.api.requests_per_day;
    if (command == Command::run) {
        settings.give_up_after = std::nullopt;
    } else {
        settings.give_up_after = config.mirror.give_up_after;
    }
    adopt(settings, config);
    return settings;
}

void adopt(sync::Settings& settings, const Config& config) {
    settings.requests_per_second = config.api.requests_per_second;
    settings.poll_interval = config.mirror.poll_interval;
    settings.idle_poll_interval =
        config.mirror.idle_poll_interval.value_or(config.mirror.poll_interval);
    settings.overlap = config.mirror.overlap;
    settings.settle = config.mirror.settle;
    settings.recheck_ages = config.mirror.recheck_ages;
    settings.sweep = config.mirror.sweep;
}

Seconds longest_pause(const Config& config) {
    constexpr Seconds day(24 * 3600);
    plan::BudgetState budget;
    budget.limit = config.api.requests_per_day;
    budget.poll_interval =
        std::max(config.mirror.poll_interval,
                 config.mirror.idle_poll_interval.value_or(config.mirror.poll_interval));
    budget.left_of_day = day;
    return plan::poll_pause(budget);
}

}  // namespace mirror::daemon

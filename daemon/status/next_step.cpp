#include "daemon/status/next_step.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/util/duration_text.hpp"

namespace mirror::daemon {
namespace {

// A mirror that polls is seldom as late as this.
constexpr Seconds late{900};

bool any_unreadable(const Status& status) {
    return std::any_of(status.gaps.begin(), status.gaps.end(),
                       [](const Gap& gap) { return gap.reason.has_value(); });
}

}  // namespace

std::optional<std::string> next_step(const Status& status, bool run_works, Seconds last_age) {
    if (status.last_error || status.zone_behind.count() > 0) {
        return "copernica-mirror check: it says what is wrong and what to do";
    }
    if (any_unreadable(status)) {
        return "copernica-mirror check, then copernica-mirror sync: it tries the gaps again";
    }
    if (status.count_difference) {
        return "copernica-mirror audit --repair: it finds what differs and fetches it again";
    }
    const bool behind =
        !status.complete || !status.gaps.empty() || (status.lag && *status.lag > late);
    if (behind && !run_works) {
        return "copernica-mirror sync, or systemctl start copernica-mirror: it fetches what is "
               "missing";
    }
    if (behind) {
        return std::nullopt;  // `run` does it
    }
    if (status.lateness && status.lateness->largest > last_age) {
        return "copernica-mirror audit --repair: rows come later than the last of recheck_ages; "
               "add a greater age there";
    }
    if (status.rejects > 0) {
        return "look at the table rejects, which has records that could not be rows, with the "
               "reasons";
    }
    return std::nullopt;
}

std::optional<std::string> why_too_far_behind(const Status& status, Seconds max_lag) {
    if (!status.lag) {
        return "nothing is complete yet";
    }
    if (*status.lag <= max_lag) {
        return std::nullopt;
    }
    return fmt::format("the mirror is {} behind, more than --max-lag {}",
                       duration_text(*status.lag), duration_text(max_lag));
}

std::optional<std::string> next_step(const Statuses& all, bool run_works, Seconds last_age) {
    for (const Status& status : all) {
        const auto step = status.followed ? next_step(status, run_works, last_age) : std::nullopt;
        if (step) {
            return step;
        }
    }
    return std::nullopt;
}

std::optional<std::string> why_too_far_behind(const Statuses& all, Seconds max_lag) {
    for (const Status& status : all) {
        const auto why = status.followed ? why_too_far_behind(status, max_lag) : std::nullopt;
        if (why) {
            return all.size() > 1 ? fmt::format("{}: {}", status.stream->name, *why) : *why;
        }
    }
    return std::nullopt;
}

}  // namespace mirror::daemon

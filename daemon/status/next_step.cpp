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

std::optional<std::string> next_step(const Status& status, const Operation& operation) {
    const auto command = [&](const char* name) {
        return fmt::format("copernica-mirror {}{}", name, operation.invocation.options);
    };
    if (status.last_error || status.zone_behind.count() > 0) {
        return command("check") + ": it says what is wrong and what to do";
    }
    if (any_unreadable(status)) {
        return fmt::format("{}, then {}: it tries the gaps again", command("check"),
                           command("sync"));
    }
    if (status.count_difference) {
        return command("audit --repair") + ": it finds what differs and fetches it again";
    }
    const bool behind =
        !status.complete || !status.gaps.empty() || (status.lag && *status.lag > late);
    if (behind && !operation.run_works) {
        const auto& unit = operation.invocation.unit;
        return fmt::format("{}{}: it fetches what is missing", command("sync"),
                           unit ? ", or systemctl start " + *unit : std::string());
    }
    if (behind) {
        return std::nullopt;  // `run` does it
    }
    if (status.lateness && status.lateness->largest > operation.last_age) {
        return command("audit --repair") +
               ": rows come later than the last of recheck_ages; add a greater age there";
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

std::optional<std::string> next_step(const Statuses& all, const Operation& operation) {
    for (const Status& status : all) {
        const auto step = status.followed ? next_step(status, operation) : std::nullopt;
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

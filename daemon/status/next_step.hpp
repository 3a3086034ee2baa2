// What to do about the state of a mirror. Pure.
#pragma once

#include <optional>
#include <string>

#include "daemon/cli/invocation.hpp"
#include "daemon/status/status.hpp"

namespace mirror::daemon {

/// How the mirror is operated.
struct Operation {
    bool run_works = false;  ///< a `run` is working on the file
    Seconds last_age{};      ///< the greatest of the configured recheck_ages
    Invocation invocation;
};

/// The one thing to do next: a command, and why. Nothing if there is nothing to do.
std::optional<std::string> next_step(const Status& status, const Operation& operation);

/// Of the first stream that is followed and has anything to be done.
std::optional<std::string> next_step(const Statuses& all, const Operation& operation);

/// Why `status --max-lag` ends with 5; nothing if the mirror is near enough.
std::optional<std::string> why_too_far_behind(const Status& status, Seconds max_lag);
/// Of the first stream that is followed and too far behind.
std::optional<std::string> why_too_far_behind(const Statuses& all, Seconds max_lag);

}  // namespace mirror::daemon

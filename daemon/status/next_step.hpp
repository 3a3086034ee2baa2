// What to do about the state of a mirror. Pure.
#pragma once

#include <optional>
#include <string>

#include "daemon/status/status.hpp"

namespace mirror::daemon {

/// The one thing to do next: a command, and why. Nothing if there is nothing to do. `run_works`: a
/// `run` is working on the file. `last_age` is the greatest of the configured recheck_ages.
std::optional<std::string> next_step(const Status& status, bool run_works, Seconds last_age);

/// Of the first stream that is followed and has anything to be done.
std::optional<std::string> next_step(const Statuses& all, bool run_works, Seconds last_age);

/// Why `status --max-lag` ends with 5; nothing if the mirror is near enough.
std::optional<std::string> why_too_far_behind(const Status& status, Seconds max_lag);
/// Of the first stream that is followed and too far behind.
std::optional<std::string> why_too_far_behind(const Statuses& all, Seconds max_lag);

}  // namespace mirror::daemon

// Points in time, and the two scales that must never be mixed up: UTC inside the program,
// the account's local time at the API and in the rows.
#pragma once

#include <chrono>

namespace mirror {

/// A duration in whole seconds.
using Seconds = std::chrono::seconds;

/// A point in time, UTC, whole seconds since 1970-01-01.
using Instant = std::chrono::sys_seconds;

/// What a wall clock in the account's zone shows, whole seconds. It may name a second that
/// occurs twice, or never; only a Zone can turn it into an Instant.
using LocalTime = std::chrono::local_seconds;

}  // namespace mirror

// A mirror's status for people. Pure.
#pragma once

#include <chrono>
#include <string>

#include "core/time/zone.hpp"
#include "daemon/status/status.hpp"

namespace mirror::daemon {

/// What it means that the account's zone seems to be behind `zone`.
std::string zone_behind_text(std::chrono::hours behind, const std::string& zone);

/// The first line says in plain words how things are. `last_age` is the greatest of the configured
/// recheck_ages; zero if there is none.
std::string status_text(const Statuses& all, const Zone& zone, Seconds last_age);

}  // namespace mirror::daemon

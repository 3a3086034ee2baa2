// A mirror's status for programs. Pure.
#pragma once

#include <string>

#include "daemon/status/status.hpp"

namespace mirror::daemon {

/// The documented JSON object, with a line's end.
std::string status_json(const Statuses& all);

}  // namespace mirror::daemon

// `check`: can the API be reached, whose is the token, what time is it there? Pure.
#pragma once

#include "daemon/check/api_probe.hpp"
#include "daemon/check/finding.hpp"

namespace mirror::daemon {

/// The names of what judge_api() finds, in its order.
const std::vector<std::string>& api_checks();

Findings judge_api(const ApiProbe& probe);

}  // namespace mirror::daemon

// How long `run` may be silent.
#pragma once

#include "daemon/config/config.hpp"

namespace mirror::daemon {

/// How far apart `run` plans its polls at the most: while nothing comes, and with a small budget.
/// Pure.
Seconds longest_pause(const Config& config);

}  // namespace mirror::daemon

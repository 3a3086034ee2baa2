// How a configuration that was read again differs from the one that is in force. Pure.
#pragma once

#include <string>
#include <vector>

#include "daemon/config/config.hpp"

namespace mirror::daemon {

/// Keys that differ, as config_keys() names them.
struct ConfigChange {
    std::vector<std::string> takes_effect;   ///< while `run` works
    std::vector<std::string> needs_restart;  ///< not before the program starts again
    std::vector<std::string> not_for_run;    ///< for the commands that end
};

ConfigChange compare(const Config& in_force, const Config& read);

/// All of `read` but what needs a restart goes into `in_force`.
void apply(Config& in_force, const Config& read);

/// All keys that are compared.
std::vector<std::string> compared_keys();

}  // namespace mirror::daemon

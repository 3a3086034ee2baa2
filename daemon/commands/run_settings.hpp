// The settings of a run, from the configuration. Pure.
#pragma once

#include <vector>

#include "core/record/stream.hpp"
#include "core/sync/settings.hpp"
#include "core/time/instant.hpp"
#include "daemon/cli/command_line.hpp"
#include "daemon/config/config.hpp"

namespace mirror::daemon {

/// Of one stream.
sync::Settings settings_of(Command command, const Config& config, const Stream& stream);

/// What the command works on: what --stream names, or what is configured.
std::vector<const Stream*> chosen_streams(const CommandLine& line, const Config& config);

/// Takes over what may change while `run` works: the keys that compare() of config_change.hpp says
/// take effect, as far as they are settings of a run.
void adopt(sync::Settings& settings, const Config& config, const Stream& stream);

}  // namespace mirror::daemon

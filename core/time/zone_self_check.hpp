// A second opinion on the zone: wrong offsets lose rows without a sign.
#pragma once

#include <optional>
#include <string>

#include "core/time/zone.hpp"

namespace mirror {

/// Compares the zone with what the C library reads from the same zone file, each day of the years
/// 1996 to 2040 and at each change of the clocks. Nothing if they agree; else a text for people
/// that names the first moment at which they differ.
///
/// Sets the environment variable TZ and restores it: only for a process with one thread.
std::optional<std::string> zone_differs_from_libc(const Zone& zone);

}  // namespace mirror

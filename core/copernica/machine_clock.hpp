// This machine's clock against the API's. Pure.
#pragma once

#include <optional>
#include <string>

#include "core/time/instant.hpp"

namespace mirror::copernica {

/// By how much this machine's clock is off, for people, if it is so much `ahead` of the API's
/// (negative: behind); nothing if they are as near to each other as clocks may be.
std::optional<std::string> why_machine_clock_is_off(Seconds ahead);

/// What to do about it.
inline constexpr const char* machine_clock_advice =
    "the mirror uses the API's clock, but set this one right (timedatectl set-ntp true)";

}  // namespace mirror::copernica

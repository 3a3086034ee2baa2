// When so many rows are gone at once that the API may be mistaken. Pure.
#pragma once

#include <cstdint>

#include "core/time/instant.hpp"

namespace mirror::plan {

/// So many rows, and more than one in so many of those that the file has there.
inline constexpr std::uint64_t mass_removal_rows = 100;
inline constexpr std::uint64_t mass_removal_share = 100;

/// How long after a mass of rows was missing a second read decides.
inline constexpr Seconds mass_removal_pause = std::chrono::hours(1);

/// Whether `gone` of `held` rows are too many to be taken for removed after one read.
constexpr bool is_mass_removal(std::uint64_t gone, std::uint64_t held) {
    return gone > mass_removal_rows && gone * mass_removal_share > held;
}

}  // namespace mirror::plan

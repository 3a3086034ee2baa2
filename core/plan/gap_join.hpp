// Many gaps near each other are read as one. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/time/window.hpp"

namespace mirror::plan {

/// So many gaps are read one by one, wherever they are.
inline constexpr std::size_t gaps_read_one_by_one = 16;

/// As many records as a request returns (the API's documented limit).
inline constexpr std::uint64_t records_of_a_request = 1000;

/// What lies between the gaps, if there are so many that it is worth a look; else nothing. A period
/// between two gaps that has fewer records than a request returns costs no more to read again than
/// a request of its own for the second gap: it belongs to the gaps. Then all of them take about two
/// requests for each page of the period at the most, however many they are.
WindowSet between_many(const WindowSet& gaps);

}  // namespace mirror::plan

// Many gaps near each other are one. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/time/window.hpp"

namespace mirror::plan {

/// So many gaps are read one by one, wherever they are.
inline constexpr std::size_t gaps_read_one_by_one = 16;

/// As many records as a request brings (the API's documented limit). What lies between two gaps and
/// has fewer costs no more to read again than a request of its own for the second gap.
inline constexpr std::uint64_t records_of_a_request = 1000;

/// Joins gaps that have little between them, if there are many: then they take about two requests
/// for each page of the period at the most, however many they are. `little_after[i]`: fewer records
/// than a request brings lie between gap i and the next one.
WindowSet join_gaps(const WindowSet& gaps, const std::vector<bool>& little_after);

/// Whether it is worth asking what lies between.
inline bool worth_joining(const WindowSet& gaps) {
    return gaps.windows().size() > gaps_read_one_by_one;
}

}  // namespace mirror::plan

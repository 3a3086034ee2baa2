// Which way of reading windows costs least at this API. Pure.
#pragma once

#include <cstdint>

#include "core/plan/list_traits.hpp"

namespace mirror::plan {

/// A list of which more rows are out of the order of time does not run with it.
constexpr double most_disorder = 0.1;

/// How to read windows from now on.
struct ReadingWay {
    std::uint64_t rows = 0;  ///< that a window should hold
    /// The list runs with time, so what was read of a window stays if its end moves.
    bool ends_move = true;
    /// The rate is what is waited for, not replies: a connection that waits for another one's count
    /// costs nothing.
    bool can_wait = false;
    /// Windows are long enough that one connection's first count is worth waiting for: its window's
    /// end may move then. One after the other, windows of a page would keep one connection busy.
    bool waits_for_count = true;
    friend bool operator==(const ReadingWay&, const ReadingWay&) = default;
};

/// What does not depend on replies.
struct ReadingLimits {
    std::uint32_t page_size = 1000;
    std::uint32_t most_pages = 16;  ///< of a window
    unsigned connections = 4;
    unsigned requests_per_second = 10;
};

/// Seconds of one connection that a request takes at least: all connections share the rate, and may
/// wait for it.
double slot_seconds(const ListFacts& facts, const ReadingLimits& limits);

/// The cheapest windows. Costs are seconds of one connection for each full page:
///
///   slot  = max(request, connections / requests_per_second)
///   cost  = (n + waste) / n * max(slot, request + skip * page_size * (n - 1) / 2)
///           windows of n pages; the mean offset is half of the window less a page
///
/// waste = 1.5 requests of a window: it is counted again where its end moves, and its last page is
/// not full, since rows come in bursts and nobody knows how many a period holds. That was measured
/// with windows of ten pages; with those of five, 2.4 requests were.
///
/// Of the lengths, the longest one that takes at most half as long again as the best: requests are
/// billed, and time is not.
///
/// Pages from the last time seen on, without offsets, are no way: they pass by a row whose time is
/// earlier than its neighbours', and another one that is logged meanwhile takes its place in the
/// number.
ReadingWay cheapest_way(const ListFacts& facts, const ReadingLimits& limits);

}  // namespace mirror::plan

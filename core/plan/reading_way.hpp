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
    friend bool operator==(const ReadingWay&, const ReadingWay&) = default;
};

/// What does not depend on replies.
struct ReadingLimits {
    std::uint32_t page_size = 1000;
    std::uint32_t most_pages = 16;  ///< of a window
    unsigned connections = 4;
    unsigned requests_per_second = 10;
};

/// The cheapest windows. Costs are seconds of one connection for each full page:
///
///   slot  = max(request, connections / requests_per_second)
///           what a request takes at least: the rate may be what is waited for
///   cost  = (n + waste(n)) / n * max(slot, request + skip * page_size * (n - 1) / 2)
///           windows of n pages; the mean offset is half of the window less a page
///
/// waste(n) = min(1/2, n/8) pages: the last page of a window is half full on average, if the window
/// is so long that nobody can tell how many rows it will hold, and its end cannot be moved (see
/// window_aim.hpp); a short one is aimed a little below n pages.
///
/// Of the lengths, the longest one that costs at most a twentieth more than the best: fewer counts,
/// fewer transactions.
///
/// Pages from the last time seen on, without offsets, are no way: they pass by a row whose time is
/// earlier than its neighbours', so that each window has to be counted once more, and that costs
/// more than windows of one page.
ReadingWay cheapest_way(const ListFacts& facts, const ReadingLimits& limits);

}  // namespace mirror::plan

// How a day's budget of requests is shared: what is new first, then rechecks, then the past. Pure.
#pragma once

#include <cstdint>

#include "core/time/instant.hpp"

namespace mirror::plan {

/// What a request is for.
enum class Purpose {
    tail,     ///< what is new
    recheck,  ///< what is read or counted again
    past,     ///< what is missing further back
};

/// Where a day stands.
struct BudgetState {
    std::uint64_t limit = 0;  ///< requests a UTC day; 0: no limit
    std::uint64_t used = 0;   ///< of today, by all processes on the file
    Seconds left_of_day{};    ///< until 00:00 UTC
    Seconds poll_interval{60};
    unsigned streams = 1;       ///< each of them is polled so often
    std::uint64_t at_work = 0;  ///< that windows at work may still make
};

/// Whether work of that purpose may be begun:
///
///   tail      while a request is left
///   recheck   while more are left than the day's other polls need, one each
///   past      while more are left than polls and rechecks need; rechecks are given an eighth as
///             many as polls
///
/// both beyond what windows at work may still take. Polls are planned for no more than three
/// quarters of a day's budget, however short their interval is, so that the past makes
/// progress, too.
bool may_begin(Purpose purpose, const BudgetState& state);

/// How long after a poll the next one begins: the interval, or if not enough requests are left for
/// all polls of the day, so long that the polls that can be made cover it evenly. With none left,
/// until the next day.
Seconds poll_pause(const BudgetState& state);

/// Until 00:00 UTC, at least a second.
Seconds left_of_day(Instant now);

/// How many of `wanted` requests are counted on a day that has `counted`: as many as `limit` leaves
/// (0: no limit). `wanted` is negative for requests that were counted and not made: no more are
/// taken back than the day has.
std::int64_t granted(std::int64_t wanted, std::int64_t counted, std::uint64_t limit);

}  // namespace mirror::plan

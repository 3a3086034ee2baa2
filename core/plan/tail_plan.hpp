// How far back the newest period is read. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "core/plan/window_scheduler.hpp"
#include "core/time/window.hpp"
#include "core/time/zone.hpp"

namespace mirror::plan {

/// The newest rows in the file, as far as a tail needs to know them.
struct NewestSecond {
    LocalTime time{};        ///< the greatest timestamp before the end of the tail
    std::uint64_t rows = 0;  ///< how many rows have it
};

/// What is known when a tail is planned.
struct TailSituation {
    Window wanted;       ///< what is to be complete
    WindowSet coverage;  ///< of age 0; not empty
    Instant earliest{};  ///< nothing before it is read again for the tail's sake
    std::optional<NewestSecond> newest;
    WindowSet postponed;  ///< could not be read a moment ago, and waits for its second try
    Seconds overlap{};    ///< how much before the high-water mark is read again
    Seconds reach{};      ///< how far before `wanted.end` the tail goes at the least, if covered
};

/// What to read.
struct TailPlan {
    std::optional<Window> first;  ///< the tail, as one window before everything else
    WindowSet todo;               ///< what is missing, with what of it is in `first`
    Direction direction = Direction::newest_first;
};

/// A tail begins `overlap` before the high-water mark, and earlier if that makes it begin with a
/// row of the file, of the last six days (an older one may have expired at the API) and among at
/// most a hundred in its second: such a tail cannot be empty, so an empty reply is seen to be
/// wrong. It goes back by `reach`, but not over a gap. It does not reach over what is postponed. If
/// the mark is more than an hour behind, what follows it is read like any other gap.
TailPlan plan_tail(const TailSituation& situation, const Zone& zone);

/// How far back from the end of `everything` a tail may reach: to the last gap, or to the end of
/// what is postponed; Seconds::max() if there is neither.
Seconds unbroken_reach(const WindowSet& coverage, const WindowSet& postponed, Window everything);

/// What is to be taken back if the file claims to be complete until `claimed_end`, later than
/// `settled`. Somebody read with a wrong clock, or with another zone's hours: as much before
/// `settled`, in whole hours, may lack rows, too. At most as much as two zones can differ.
Window mistaken_coverage(Instant settled, Instant claimed_end, Seconds tolerance);

/// If the zone's clocks show another time at `at` than whoever wrote the file thought: since when
/// that may have been so. Since the last change of the clocks, or for a year.
Instant rules_in_doubt_since(Instant at, const Zone& zone);

/// How many whole hours the newest row is behind the server's clock, if it came that late because
/// the account's zone is behind the configured one: a row that was not there at the last visit,
/// later than `overlap`, and by whole hours. `mark_before` is the high-water mark before the tail
/// was read.
std::optional<std::chrono::hours> hours_behind(LocalTime newest, Instant mark_before,
                                               Instant server_now, Seconds overlap,
                                               const Zone& zone);

/// What several visits say of the account's zone.
struct ZoneEvidence {
    std::chrono::hours hours{0};  ///< how far it seems to be behind the configured one
    int times = 0;                ///< visits in a row that said so
    friend bool operator==(const ZoneEvidence&, const ZoneEvidence&) = default;

    bool convincing() const { return times >= enough; }
    static constexpr int enough = 3;
};

/// What is known after one more visit that brought newer rows. hours_behind() convinces at once. A
/// newest row that is behind the clock by whole hours, give or take `overlap`, can be chance,
/// unless it happens again and again; one that is on time says that all is well.
ZoneEvidence weigh_zone(const ZoneEvidence& known, LocalTime newest, Instant mark_before,
                        Instant server_now, Seconds overlap, const Zone& zone);

}  // namespace mirror::plan

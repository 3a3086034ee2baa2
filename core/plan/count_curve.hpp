// How many records lie up to which time, from what replies have counted. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "core/time/instant.hpp"
#include "core/time/window.hpp"

namespace mirror::plan {

/// Counts of windows that have their begin in common, or that follow each other. Between two
/// counts, records are taken to lie evenly.
class CountCurve {
  public:
    explicit CountCurve(Instant begin) : begin_(begin) {}

    /// The window holds so many records. Older counts that contradict it are forgotten, and so is
    /// all if something between was not counted. No effect if it begins before what is known.
    void counted(const Window& window, std::uint64_t records);

    /// Where a window from `begin` has to end to hold so many records, if counts say so.
    std::optional<Instant> end_of(Instant begin, std::uint64_t records) const;

    /// The end at which the window from the first begin holds about so many records, more than
    /// `known`: those up to the latest that is known. Behind the last count, records are taken to
    /// come as fast as before it, in all of the window or on the last stretch, whichever is faster:
    /// so the window rather grows in steps than too far, and never by more than
    /// WidthPlanner::most_growth.
    Instant end_for(std::uint64_t records, std::uint64_t known, Instant latest) const;

  private:
    struct Point {
        Instant end;
        std::uint64_t records;
    };

    static double rate(const Point& from, const Point& to);
    static Instant later(const Point& point, std::uint64_t records, double rate);
    std::uint64_t records_up_to(Instant at) const;
    void begin_from(Instant at);

    Instant begin_;
    std::map<Instant, std::uint64_t> counts_;  // records from the begin up to this end; rising
};

}  // namespace mirror::plan

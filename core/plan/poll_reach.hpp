// How far back a poll asks: a page that is paid for is filled. Pure.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include "core/time/instant.hpp"

namespace mirror::plan {

/// A poll asks for the newest seconds and would get a page that is nearly empty. At the same price
/// it may ask for more: then rows that come late are found, and what they were read for counts as
/// read again. So that bytes stay modest, polls reach far only now and then:
///
///   20 minutes   every 4 minutes: reading again at an age of 15 minutes costs nothing
///   6 hours      every 12 minutes: whatever comes up to six hours late is there within 15 minutes
///   a day        every hour
///
/// as long as the page stays less than half full by what the file has of that time; the first step,
/// which takes the place of a request, up to nine tenths.
class PollReach {
  public:
    using Moment = std::chrono::steady_clock::time_point;

    struct Step {
        Seconds reach;
        Seconds every;
    };
    static constexpr std::array<Step, 3> steps{{
        {std::chrono::minutes(20), std::chrono::minutes(4)},
        {std::chrono::hours(6), std::chrono::minutes(12)},
        {std::chrono::hours(24), std::chrono::hours(1)},
    }};

    /// How far polls might reach now, the furthest first.
    std::vector<Seconds> due(Moment now) const;

    /// A poll has read so far back.
    void reached(Seconds reach, Moment now);
    /// That step does not fit into a page: it is not tried again before its time.
    void did_not_fit(Seconds reach, Moment now);

    /// Whether so many rows leave enough of a page empty for that step.
    static bool fits(Seconds reach, std::uint64_t rows, std::uint32_t page_size) {
        return reach <= steps[0].reach ? rows * 10 < std::uint64_t{page_size} * 9
                                       : rows * 2 < page_size;
    }

  private:
    std::array<Moment, steps.size()> next_{};
};

}  // namespace mirror::plan

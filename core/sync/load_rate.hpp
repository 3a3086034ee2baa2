// How fast a load is now. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

#include "core/time/clock.hpp"

namespace mirror::sync {

/// So many rows had been received after so long.
struct LoadMark {
    Monotonic::duration after{};
    std::uint64_t rows = 0;
};

/// Chooses from when on the rate is counted: from the middle of the time until now, and never from
/// before the first rows. The search through empty years says nothing about the rest, nor does a
/// server that was slow at first; and all of the latter half is long enough to even out bursts.
class LoadRate {
  public:
    /// So it is now. Calls come in the order of time.
    void note(const LoadMark& now) {
        if (marks_.empty() || marks_.back().rows == 0) {
            if (now.rows == 0) {
                marks_.clear();
            }
            marks_.push_back(now);
            return;
        }
        // The distance between marks grows with time, so that there are never many.
        if (now.after - marks_.back().after >= now.after / marks_in_all) {
            marks_.push_back(now);
        }
        while (marks_.size() > 1 && marks_[1].after <= now.after / 2) {
            marks_.pop_front();
        }
    }

    /// The rate is counted from here on.
    LoadMark from() const { return marks_.empty() ? LoadMark{} : marks_.front(); }

  private:
    static constexpr int marks_in_all = 64;

    std::deque<LoadMark> marks_;
};

}  // namespace mirror::sync

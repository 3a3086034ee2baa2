// How far a long load is, also if it is done in several pieces. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "core/sync/load_rate.hpp"
#include "core/sync/observer.hpp"
#include "core/time/clock.hpp"
#include "core/time/window.hpp"

namespace mirror::sync {

/// Measures by rows: they are what a load takes time for, and they are not spread evenly over the
/// years. They count page by page: so many windows are read at a time that whole ones alone tell
/// late how far a load is. Time between the pieces does not count.
class LoadMeter {
  public:
    /// A piece of work begins. It belongs to the load that is measured already if it lies within
    /// that load's period; else it is a new one.
    void begin(const WindowSet& todo, Monotonic now) {
        const Window hull = todo.empty()
                                ? Window{}
                                : Window{todo.windows().front().begin, todo.windows().back().end};
        if (hull.begin < progress_.period.begin || hull.end > progress_.period.end) {
            progress_ = Progress{};
            progress_.period = hull;
            rate_ = LoadRate{};
        }
        progress_.since = now;
    }

    /// The piece ends.
    void end(Monotonic now) { progress_.before += now - progress_.since; }

    /// So many rows are to be read in all.
    void expect(std::uint64_t rows) { progress_.expected = rows; }

    /// A page has come, with so many rows that are new; none if the period is empty.
    void received(std::uint64_t rows, Monotonic now) {
        progress_.rows += rows;
        rate_.note({progress_.before + (now - progress_.since), progress_.rows});
        progress_.rate_from = rate_.from();
    }

    /// So many of them are going to be read again.
    void dropped(std::uint64_t rows) { progress_.rows -= std::min(rows, progress_.rows); }

    /// The window that the others are ahead of begins then: all of them move in one direction, and
    /// that one is the last.
    void reading(Instant at) { progress_.at = at; }

    const Progress& progress() const { return progress_; }

  private:
    Progress progress_;
    LoadRate rate_;
};

}  // namespace mirror::sync

// How far a long load is, also if it is done in several pieces. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "core/sync/observer.hpp"
#include "core/time/clock.hpp"
#include "core/time/window.hpp"

namespace mirror::sync {

/// Measures by rows: they are what a load takes time for, and they are not spread evenly over the
/// years. Time between the pieces does not count.
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
        }
        progress_.since = now;
    }

    /// The piece ends.
    void end(Monotonic now) { progress_.before += now - progress_.since; }

    /// So many rows are to be read in all.
    void expect(std::uint64_t rows) { progress_.expected = rows; }

    /// A window was read whole.
    void read(const Window& window, std::uint64_t rows) {
        progress_.window = window;
        progress_.rows += rows;
    }

    const Progress& progress() const { return progress_; }

  private:
    Progress progress_;
};

}  // namespace mirror::sync

// How far an empty reply is believed. Pure.
#pragma once

#include <algorithm>
#include <utility>

#include "core/time/window.hpp"

namespace mirror::plan {

/// A server that fails may say "no rows" instead of "no". So emptiness is believed only as far as
/// it is known: for narrow windows at once, for wider ones only when it is said again, and where
/// the file has rows only after the API has shown that it shows anything at all. What was believed
/// is remembered, to be doubted once more at the end of the run.
class EmptinessLedger {
  public:
    /// Before any rows were seen.
    static constexpr Seconds first_trust{3600};

    /// How many replies that one window is empty are enough, so far.
    int replies_needed(const Window& window, bool file_has_rows) const {
        if (file_has_rows) {
            return 3;
        }
        return window.width() <= trusted_ ? 1 : 2;
    }

    void rows_seen(const Window& window) { trusted_ = std::max(trusted_, window.width()); }
    void believed(const Window& window) { believed_.add(window); }

    /// Everything that was believed empty since the last call.
    WindowSet take_unverified() { return std::exchange(believed_, {}); }

  private:
    Seconds trusted_ = first_trust;
    WindowSet believed_;
};

}  // namespace mirror::plan

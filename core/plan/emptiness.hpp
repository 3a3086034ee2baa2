// How far an empty reply is believed. Pure.
#pragma once

#include <algorithm>
#include <utility>

#include "core/time/window.hpp"

namespace mirror::plan {

/// A server that fails may say "no rows" instead of "no". So a window is taken for empty only as
/// far as emptiness is known: a narrow one at once, a wider one only if a second reply says so, and
/// one that has rows in the file only after the API has shown that it shows anything at all. Such
/// windows are remembered, to be verified at the end of a command.
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
    void taken_for_empty(const Window& window) { unverified_.add(window); }

    /// Everything that was believed empty since the last call.
    WindowSet take_unverified() { return std::exchange(unverified_, {}); }

  private:
    Seconds trusted_ = first_trust;
    WindowSet unverified_;
};

}  // namespace mirror::plan

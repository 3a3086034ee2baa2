// What `run` could not read, and when it tries again. Pure.
#pragma once

#include <vector>

#include "core/plan/unread_window.hpp"
#include "core/time/window.hpp"

namespace mirror::plan {

/// Remembers, from poll to poll, what could not be read and why. What fails is postponed: the next
/// polls leave it alone until retry_postponed() is called.
class UnreadLedger {
  public:
    /// What could not be read and was not read since.
    const std::vector<UnreadWindow>& unread() const { return unread_; }

    /// What the next poll is to leave alone.
    const WindowSet& postponed() const { return postponed_; }

    /// From now on everything is tried again.
    void retry_postponed() { postponed_ = WindowSet{}; }

    /// Takes the result of a poll: what failed in it, and what is covered now. Forgets what has
    /// been read meanwhile. True if nothing was postponed before, so that the
    /// second try of what is now is due after a full pause: what is new does not put off what
    /// waits.
    [[nodiscard]] bool note(std::vector<UnreadWindow> failed, const WindowSet& covered);

  private:
    std::vector<UnreadWindow> unread_;
    WindowSet postponed_;
};

}  // namespace mirror::plan

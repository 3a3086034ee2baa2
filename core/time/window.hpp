// Half-open periods and sets of them: the arithmetic of "what is covered" and "what is missing".
#pragma once

#include <compare>
#include <vector>

#include "core/time/instant.hpp"

namespace mirror {

/// The half-open period [begin, end), UTC, whole seconds.
struct Window {
    Instant begin{};
    Instant end{};

    bool empty() const { return end <= begin; }
    Seconds width() const { return end - begin; }
    bool contains(Instant at) const { return begin <= at && at < end; }
    bool contains(const Window& other) const { return begin <= other.begin && other.end <= end; }
    friend auto operator<=>(const Window&, const Window&) = default;
};

/// What two windows share; empty if they share nothing.
Window intersection(const Window& a, const Window& b);

/// A set of instants, held as disjoint windows in ascending order with no two adjacent. Operations
/// on two sets take time in proportion to both together; those on one window look for their place.
class WindowSet {
  public:
    WindowSet() = default;
    explicit WindowSet(const Window& window) { add(window); }

    void add(const Window& window);
    void add(const WindowSet& other);
    void subtract(const Window& window);
    void subtract(const WindowSet& other);

    bool empty() const { return windows_.empty(); }
    bool contains(const Window& window) const;
    WindowSet within(const Window& window) const;
    /// The sum of all widths.
    Seconds width() const;
    /// Ascending, disjoint, never adjacent, none empty.
    const std::vector<Window>& windows() const { return windows_; }

    friend bool operator==(const WindowSet&, const WindowSet&) = default;

  private:
    using Place = std::vector<Window>::const_iterator;

    Place first_ending_after(Instant at) const;
    Place first_beginning_from(Instant at) const;

    std::vector<Window> windows_;
};

}  // namespace mirror

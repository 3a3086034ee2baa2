// The account's time zone: the only place where UTC and local time meet.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/time/instant.hpp"
#include "core/time/window.hpp"

namespace mirror {

/// The system's zoneinfo has no such zone; what() names it.
class UnknownZone : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// How far the two instants of a local time that occurs twice lie apart, at most.
inline constexpr Seconds repeated_hour{3600};

/// An account-local half-open period [begin, end).
struct LocalPeriod {
    LocalTime begin{};
    LocalTime end{};
    friend bool operator==(const LocalPeriod&, const LocalPeriod&) = default;
};

/// One IANA zone, read from the system's zone files or from the directory in TZDIR. Files in zic's
/// slim form, which end with a rule for all later years, mean the same as those in its fat form.
/// Cheap to copy.
class Zone {
  public:
    /// Throws UnknownZone. A name is relative to the zone files: no path, no "localtime".
    explicit Zone(const std::string& name);

    const std::string& name() const { return name_; }

    LocalTime to_local(Instant at) const;

    /// The next instant after `after` at which clocks are put forward or back, or nothing.
    std::optional<Instant> next_change(Instant after) const;

    /// The first instant at which clocks showed `local`; for a second that does not exist, the
    /// instant at which clocks were put forward.
    Instant earliest(LocalTime local) const;

    /// As earliest(), but the last instant.
    Instant latest(LocalTime local) const;

    /// The span of a window: the smallest local period that holds every second of it. Around the
    /// autumn night it is wider than the window. Its bounds may be seconds that occur twice, but
    /// never seconds that do not exist.
    LocalPeriod span(const Window& window) const;

    /// The second before `local`, for the API's `begintime`, whose own second may or may not be
    /// returned. Never a second that does not exist: in the spring gap, the last one before it.
    LocalTime second_before(LocalTime local) const;

    /// As second_before(), for `endtime`: in the spring gap, the first one after it.
    LocalTime second_after(LocalTime local) const;

    /// True if some second of the window is shown twice by local clocks.
    bool touches_repeated_hour(const Window& window) const;

    /// `at`, or, if it lies strictly inside a stretch of local time that occurs twice (both
    /// passes taken together), the start of that stretch. A window whose ends are aligned has a
    /// span that means the same to a server that compares text and to one that compares instants.
    Instant align_down(Instant at) const;

    /// As align_down(), towards the end of the stretch.
    Instant align_up(Instant at) const;

  private:
    std::vector<Window> repeated_stretches(const Window& window) const;
    Window stretch_around(Instant at) const;

    struct Rules;

    std::string name_;
    std::shared_ptr<const Rules> rules_;
};

}  // namespace mirror

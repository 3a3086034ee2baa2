// Which window next, and what becomes of one that cannot be read whole. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "core/plan/count_curve.hpp"
#include "core/plan/reading_way.hpp"
#include "core/plan/unread_window.hpp"
#include "core/plan/width.hpp"
#include "core/plan/window_reader.hpp"
#include "core/time/window.hpp"
#include "core/time/zone.hpp"

namespace mirror::plan {

/// A window at work, with what went wrong with it so far.
struct WindowTask {
    Window window;
    int unproven = 0;       ///< attempts whose records did not add up
    int failures = 0;       ///< requests that failed
    bool doubtful = false;  ///< said to be empty, and nothing else shows whether that is true
    int moves = 0;          ///< of its end
    bool narrowed = false;  ///< part of what failed
    /// What failed as a whole, if this is a sample of it: given up when all samples fail, too.
    Window sampled;
    int samples = 0;                 ///< that failed
    bool sampled_backwards = false;  ///< what failed beside it is newer
    /// The planner's limit before the widest piece around it was refused.
    std::optional<std::optional<Seconds>> limit_before;
};

/// Pieces in work elsewhere.
struct OthersAtWork {
    unsigned active = 0;
    unsigned uncounted = 0;  ///< of these: no reply has said how many records they hold
};

/// Which end of what is to be done comes first.
enum class Direction {
    newest_first,  ///< gaps: what is asked for most is there first
    oldest_first,  ///< what follows the newest row of the file: rows are appended to it
};

/// The windows still to be read. Hands them out in one direction, cut to the planner's width,
/// never two that overlap.
class WindowScheduler {
  public:
    /// Attempts at a window that cannot be halved.
    static constexpr int most_attempts = 8;
    /// Each time an end moves, the API counts the window once more.
    static constexpr int most_moves = 4;

    /// `readers`: how many pieces are read at a time.
    WindowScheduler(const Zone& zone, WindowSet todo, WidthPlanner& planner, Direction direction,
                    unsigned readers = 1);

    /// Puts a window before all others, as one piece as long as nobody cuts it. What is to be done
    /// no longer holds it.
    void put_first(const Window& window);

    /// How windows are read from now on.
    void read_as(const ReadingWay& way) { way_ = way; }

    /// The next piece; nothing while what is left is in work elsewhere, or depends on what is.
    /// Parts of what failed come one at a time once something was given up: what is known of a
    /// part's neighbour says how to go about it. Oldest first, what follows a piece waits for its
    /// count, which may move its end, unless it is delayed().
    std::optional<WindowTask> take(const OthersAtWork& others = {});

    /// Whether nothing is left to take (pieces in work may still come back).
    bool empty() const { return pieces_.empty() && todo_.empty(); }

    /// Where the oldest of what nobody has taken yet begins, or what was cut() begins again; not of
    /// what comes again because it failed.
    std::optional<Instant> untaken_from() const;

    /// The piece holds so many records: known from its first reply on, and what the width of the
    /// next one follows.
    void counted(const WindowTask& piece, std::uint64_t records);

    /// A request for the piece failed: it may take long.
    void delayed(const WindowTask& piece);

    /// The piece was read whole.
    void done(const WindowTask& piece);

    /// The same piece again, before everything else.
    void again(WindowTask piece);

    /// It holds too many records for one window: it goes back, to be cut by the width that its
    /// total asks for; in halves if something was wrong with it. False if it cannot be cut.
    [[nodiscard]] bool cut(const WindowTask& piece, std::uint64_t records);

    /// How far the end of a piece may move: nobody has taken what follows. Nothing if somebody has,
    /// if nothing follows, if anything went wrong with the piece, or if its end has moved
    /// most_moves times.
    std::optional<Instant> latest_end(const WindowTask& piece) const;

    /// Its end has moved: what it does not hold any more goes back.
    void moved_end(WindowTask& piece, const Window& now);

    /// Its records did not add up: read by start, then narrowed, at last given up with this reason.
    void not_whole(WindowTask piece, const std::string& reason);

    /// It was read whole, but the reply did not speak for all of its time.
    void not_proven(WindowTask piece, const std::string& reason);

    /// The fault is the window's: narrowed, or given up if that cannot be. Narrowed means
    /// halved. What fails beside a stretch as wide that failed, too, is not halved down to seconds
    /// any more, but sampled: if a few seconds of it fail as well, it is all given up. So a
    /// period that the API never serves (too old, say) costs hundreds of requests, not two for each
    /// of its seconds.
    void at_fault(WindowTask piece, const std::string& reason);

    bool divisible(const Window& window) const;

    /// What was given up.
    const std::vector<UnreadWindow>& unread() const { return unread_; }

  private:
    Seconds next_width() const;
    std::optional<Instant> middle(const Window& window) const;
    Window newest_piece(const Window& window) const;
    Window oldest_piece(const Window& window) const;
    bool narrow(const WindowTask& piece);
    bool halve(const WindowTask& piece);
    const Window& next_window() const;
    bool comes_before(const Window& window, const Window& other) const;
    void something_served();
    void ended(const WindowTask& piece);
    bool sample(const WindowTask& piece);
    bool sample_on(WindowTask piece);
    void put_back_sampled(const WindowTask& piece);
    void give_up(const WindowTask& piece, const std::string& reason);

    const Zone& zone_;
    WidthPlanner& planner_;
    Direction direction_;
    unsigned readers_;
    ReadingWay way_;
    WindowSet todo_;
    std::deque<WindowTask> pieces_;  // the next one in front
    std::vector<UnreadWindow> unread_;
    WindowSet given_up_;  // the same windows
    // Since something was given up, nothing was served: then one question at a time, each after the
    // answer to the one before it, and so wide beside what was given up last.
    bool given_up_lately_ = false;
    unsigned narrowed_in_work_ = 0;
    // Where the newest piece begins that was handed out oldest first, until it is counted.
    std::optional<Instant> newest_uncounted_;
    // Of the pieces that were counted, the last one in our direction: what comes next is most like
    // it.
    std::optional<Window> last_counted_;
    // Oldest first: what was counted is known to lie ahead after it was cut.
    std::optional<CountCurve> curve_;
    Seconds beside_{0};
};

}  // namespace mirror::plan

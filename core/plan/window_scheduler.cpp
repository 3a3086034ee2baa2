#include "core/plan/window_scheduler.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace mirror::plan {

namespace {

// The last pieces are not cut below this part of the planner's width.
constexpr int least_part = 4;

}  // namespace

WindowScheduler::WindowScheduler(const Zone& zone, WindowSet todo, WidthPlanner& planner,
                                 Direction direction, unsigned readers)
    : zone_(zone), planner_(planner), direction_(direction), readers_(readers) {
    for (const Window& window : todo.windows()) {
        todo_.add({zone.align_down(window.begin), zone.align_up(window.end)});
    }
}

void WindowScheduler::put_first(const Window& window) {
    WindowTask piece;
    piece.window = {zone_.align_down(window.begin), zone_.align_up(window.end)};
    todo_.subtract(piece.window);
    pieces_.push_front(piece);
}

std::optional<WindowTask> WindowScheduler::take(bool others_uncounted) {
    if (others_uncounted && given_up_lately_) {
        return std::nullopt;
    }
    const auto next = std::find_if(pieces_.begin(), pieces_.end(), [this](const WindowTask& piece) {
        return !piece.narrowed || narrowed_in_work_ == 0 || given_up_.empty();
    });
    if (next != pieces_.end()) {
        WindowTask piece = *next;
        pieces_.erase(next);
        narrowed_in_work_ += piece.narrowed ? 1 : 0;
        return piece;
    }
    if (todo_.empty() || (others_uncounted && planner_.exploring())) {
        return std::nullopt;
    }
    WindowTask piece;
    piece.window = direction_ == Direction::newest_first ? newest_piece(todo_.windows().back())
                                                         : oldest_piece(todo_.windows().front());
    todo_.subtract(piece.window);
    return piece;
}

std::optional<Instant> WindowScheduler::untaken_from() const {
    return todo_.empty() ? std::nullopt : std::optional(todo_.windows().front().begin);
}

void WindowScheduler::counted(const WindowTask& piece, std::uint64_t records) {
    something_served();
    planner_.observe(piece.window.width(), records);
}

void WindowScheduler::something_served() {
    given_up_lately_ = false;
    beside_ = Seconds(0);
}

// A narrowed piece is not in work any more.
void WindowScheduler::ended(const WindowTask& piece) {
    narrowed_in_work_ -= piece.narrowed ? 1 : 0;
}

void WindowScheduler::done(const WindowTask& piece) {
    ended(piece);
    planner_.served(piece.window.width());
    put_back_sampled(piece);
}

// A sample is good: only a part of the rest is at fault. Not the sample again, which waits to be
// written.
void WindowScheduler::put_back_sampled(const WindowTask& piece) {
    if (piece.sampled.empty()) {
        return;
    }
    WindowTask before;
    before.window = {piece.sampled.begin, piece.window.begin};
    WindowTask after;
    after.window = {piece.window.end, piece.sampled.end};
    for (WindowTask* const rest : {&before, &after}) {
        rest->narrowed = true;
        rest->limit_before = piece.limit_before;
    }
    if (before.window.empty() || after.window.empty()) {
        // Known to be at fault, and not to be sampled at its end again.
        const WindowTask& rest = before.window.empty() ? after : before;
        if (!halve(rest)) {
            again(rest);
        }
        return;
    }
    const bool newer_first = direction_ == Direction::newest_first;
    again(newer_first ? before : after);
    again(newer_first ? after : before);
}

void WindowScheduler::again(WindowTask piece) {
    pieces_.push_front(std::move(piece));
}

bool WindowScheduler::cut(const WindowTask& piece, std::uint64_t records) {
    if (!divisible(piece.window)) {
        return false;
    }
    ended(piece);
    something_served();
    planner_.observe(piece.window.width(), records);
    put_back_sampled(piece);
    todo_.add(piece.window);
    return true;
}

void WindowScheduler::narrowed(WindowTask& piece, const Window& now, std::uint64_t records) {
    planner_.observe(piece.window.width(), records);
    todo_.add({now.end, piece.window.end});
    piece.window = now;
}

void WindowScheduler::not_whole(WindowTask piece, const std::string& reason) {
    ended(piece);
    ++piece.unproven;
    const bool halving_is_due = piece.unproven >= 2;
    if (halving_is_due && piece.sampled.empty() && narrow(piece)) {
        return;
    }
    if (piece.unproven >= most_attempts) {
        if (!sample_on(piece)) {
            give_up(piece, reason);
        }
        return;
    }
    piece.read_on = ReadOn::by_start;
    again(std::move(piece));
}

void WindowScheduler::not_proven(WindowTask piece, const std::string& reason) {
    if (++piece.unproven >= most_attempts) {
        give_up(piece, reason);
        return;
    }
    again(std::move(piece));
}

void WindowScheduler::at_fault(WindowTask piece, const std::string& reason) {
    ended(piece);
    if (!piece.limit_before) {
        piece.limit_before = planner_.limit();
    }
    if (piece.sampled.empty() && narrow(piece)) {
        planner_.refuse(piece.window.width());
        return;
    }
    if (!sample_on(piece)) {
        give_up(piece, reason);
    }
}

bool WindowScheduler::divisible(const Window& window) const {
    return middle(window).has_value();
}

// Where a window may be cut: not inside the hour that occurs twice.
std::optional<Instant> WindowScheduler::middle(const Window& window) const {
    const Instant exact = window.begin + window.width() / 2;
    for (const Instant at : {zone_.align_down(exact), zone_.align_up(exact)}) {
        if (window.begin < at && at < window.end) {
            return at;
        }
    }
    return std::nullopt;
}

// What is left at last is shared out, so that nobody reads alone for long.
Seconds WindowScheduler::next_width() const {
    const Seconds width = std::max(planner_.next(), beside_);
    if (planner_.exploring()) {
        return width;
    }
    const Seconds share = std::max(todo_.width() / static_cast<std::int64_t>(readers_), Seconds(1));
    return std::min(width, std::max(share, width / least_part));
}

// A piece is not cut inside the hour that occurs twice, and never becomes wider than was asked
// while it can be cut.
Window WindowScheduler::newest_piece(const Window& window) const {
    const Seconds width = next_width();
    if (window.width() <= width) {
        return window;
    }
    const Instant exact = window.end - width;
    const Instant up = zone_.align_up(exact);
    return {up < window.end ? up : std::max(window.begin, zone_.align_down(exact)), window.end};
}

Window WindowScheduler::oldest_piece(const Window& window) const {
    const Seconds width = next_width();
    if (window.width() <= width) {
        return window;
    }
    const Instant exact = window.begin + width;
    const Instant down = zone_.align_down(exact);
    return {window.begin, down > window.begin ? down : std::min(window.end, zone_.align_up(exact))};
}

// False if it cannot be made narrower.
bool WindowScheduler::narrow(const WindowTask& piece) {
    return sample(piece) || halve(piece);
}

bool WindowScheduler::halve(const WindowTask& piece) {
    const auto at = middle(piece.window);
    if (!at) {
        return false;
    }
    WindowTask older;
    older.window = {piece.window.begin, *at};
    older.narrowed = true;
    older.limit_before = piece.limit_before;
    WindowTask newer;
    newer.window = {*at, piece.window.end};
    newer.narrowed = true;
    newer.limit_before = piece.limit_before;
    const bool newer_first = direction_ == Direction::newest_first;
    pieces_.push_front(newer_first ? older : newer);
    pieces_.push_front(newer_first ? newer : older);
    return true;
}

// Only beside a stretch that failed and is as wide, on either side or with as much between.
bool WindowScheduler::sample(const WindowTask& piece) {
    const Window& window = piece.window;
    const auto beside = std::find_if(
        given_up_.windows().begin(), given_up_.windows().end(), [&](const Window& stretch) {
            const Seconds between =
                std::max(window.begin - stretch.end, stretch.begin - window.end);
            return stretch.width() >= std::max(window.width(), between);
        });
    if (beside == given_up_.windows().end()) {
        return false;
    }
    WindowTask first;
    first.narrowed = true;
    first.limit_before = piece.limit_before;
    first.sampled = window;
    first.samples = -1;
    first.sampled_backwards = beside->begin >= window.end;
    return sample_on(first);
}

// The next sample of the same; false if there are enough. The far end comes first: what is bad
// ends somewhere, and most likely there.
bool WindowScheduler::sample_on(WindowTask piece) {
    constexpr std::array<std::int64_t, 4> quarters{4, 2, 3, 1};  // from what failed beside it
    const Window& all = piece.sampled;
    const std::int64_t seconds = all.width().count();
    ++piece.samples;
    if (piece.samples >= std::min<std::int64_t>(quarters.size(), seconds)) {
        return false;
    }
    const Seconds offset(
        std::max<std::int64_t>(seconds * quarters[static_cast<std::size_t>(piece.samples)] / 4, 1));
    const Instant at = piece.sampled_backwards ? all.end - offset : all.begin + offset - Seconds(1);
    piece.window = intersection(all, {zone_.align_down(at), zone_.align_up(at + Seconds(1))});
    if (piece.window == all) {
        return false;  // an hour that comes twice
    }
    piece.unproven = 0;
    piece.failures = 0;
    piece.read_on = ReadOn::automatic;
    pieces_.push_front(std::move(piece));
    return true;
}

void WindowScheduler::give_up(const WindowTask& piece, const std::string& reason) {
    const Window window = piece.sampled.empty() ? piece.window : piece.sampled;
    given_up_.add(window);
    given_up_lately_ = true;
    if (piece.limit_before) {
        planner_.restore(*piece.limit_before);
    }
    for (const Window& stretch : given_up_.windows()) {
        if (stretch.contains(window)) {
            beside_ = stretch.width();
        }
    }
    // Neighbours with the same reason are one.
    UnreadWindow unread{window, reason};
    std::erase_if(unread_, [&](const UnreadWindow& other) {
        const bool same = other.reason == reason && (other.window.end == unread.window.begin ||
                                                     other.window.begin == unread.window.end);
        if (same) {
            unread.window = {std::min(other.window.begin, unread.window.begin),
                             std::max(other.window.end, unread.window.end)};
        }
        return same;
    });
    unread_.push_back(std::move(unread));
}

}  // namespace mirror::plan

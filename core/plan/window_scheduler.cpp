#include "core/plan/window_scheduler.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/plan/window_aim.hpp"

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

std::optional<WindowTask> WindowScheduler::take(const OthersAtWork& others) {
    if (others.uncounted > 0 && given_up_lately_) {
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
    const bool one_after_another = planner_.exploring() && others.uncounted > 0;
    const bool end_may_move = newest_uncounted_ && others.active > 0;
    if (todo_.empty() || one_after_another || end_may_move) {
        return std::nullopt;
    }
    WindowTask piece;
    if (direction_ == Direction::newest_first) {
        piece.window = newest_piece(next_window());
    } else {
        piece.window = oldest_piece(next_window());
        if (way_.waits_for_count) {
            newest_uncounted_ = piece.window.begin;
        }
    }
    todo_.subtract(piece.window);
    return piece;
}

std::optional<Instant> WindowScheduler::untaken_from() const {
    return todo_.empty() ? std::nullopt : std::optional(todo_.windows().front().begin);
}

void WindowScheduler::counted(const WindowTask& piece, std::uint64_t records) {
    something_served();
    delayed(piece);
    if (direction_ == Direction::oldest_first) {
        curve_ = curve_.value_or(CountCurve(piece.window.begin));
        curve_->counted(piece.window, records);
    }
    // What is far too much goes back in part, and is next.
    const bool crowded = records > most_records(planner_.rows_wanted());
    if (crowded || !last_counted_ || !comes_before(piece.window, *last_counted_)) {
        planner_.observe(piece.window.width(), records);
        if (todo_.empty() || comes_before(piece.window, next_window())) {
            last_counted_ = piece.window;
        }
    }
}

const Window& WindowScheduler::next_window() const {
    return direction_ == Direction::newest_first ? todo_.windows().back() : todo_.windows().front();
}

bool WindowScheduler::comes_before(const Window& window, const Window& other) const {
    return direction_ == Direction::newest_first ? window.begin > other.begin
                                                 : window.begin < other.begin;
}

void WindowScheduler::delayed(const WindowTask& piece) {
    if (newest_uncounted_ == piece.window.begin) {
        newest_uncounted_.reset();
    }
}

void WindowScheduler::something_served() {
    given_up_lately_ = false;
    beside_ = Seconds(0);
}

// A narrowed piece is not in work any more.
void WindowScheduler::ended(const WindowTask& piece) {
    narrowed_in_work_ -= piece.narrowed ? 1 : 0;
    delayed(piece);
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
    counted(piece, records);
    put_back_sampled(piece);
    if ((piece.unproven > 0 || piece.narrowed) && piece.sampled.empty()) {
        // As a part of the rest, it could be read to the same end again, and not add up again.
        return halve(piece);
    }
    todo_.add(piece.window);
    return true;
}

std::optional<Instant> WindowScheduler::latest_end(const WindowTask& piece) const {
    const bool untroubled = piece.unproven == 0 && piece.failures == 0 && !piece.doubtful &&
                            !piece.narrowed && piece.sampled.empty();
    if (!untroubled || piece.moves >= most_moves) {
        return std::nullopt;
    }
    const auto next =
        std::find_if(todo_.windows().begin(), todo_.windows().end(),
                     [&](const Window& window) { return window.begin == piece.window.end; });
    if (next == todo_.windows().end()) {
        return std::nullopt;
    }
    const auto limit = planner_.limit();
    return limit ? std::max(piece.window.end, std::min(next->end, piece.window.begin + *limit))
                 : next->end;
}

void WindowScheduler::moved_end(WindowTask& piece, const Window& now) {
    if (now.end < piece.window.end) {
        todo_.add({now.end, piece.window.end});
    } else {
        todo_.subtract({piece.window.end, now.end});
    }
    // A large step is a guess, and the next count says how good. Others wait for that; for a small
    // step only if it costs nothing.
    const Seconds step = std::max(now.end, piece.window.end) - std::min(now.end, piece.window.end);
    if (direction_ == Direction::oldest_first && way_.waits_for_count &&
        (way_.can_wait || step * 4 > now.width())) {
        newest_uncounted_ = now.begin;
    }
    piece.window = now;
    ++piece.moves;
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
    Seconds width = next_width();
    // Where a window that holds too much loses its first page.
    if (curve_ && !way_.ends_move) {
        const auto full = curve_->end_of(window.begin, planner_.rows_wanted());
        width = full ? std::min(width, *full - window.begin) : width;
    }
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

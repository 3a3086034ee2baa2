#include "core/sync/worklist.hpp"

#include <algorithm>
#include <utility>

namespace mirror::sync {

namespace {

// The last pieces are not cut below this part of the planner's width.
constexpr int least_part = 4;

}  // namespace

Worklist::Worklist(const Zone& zone, WindowSet todo, WidthPlanner& planner, Direction direction,
                   unsigned readers)
    : zone_(zone), planner_(planner), direction_(direction), readers_(readers) {
    for (const Window& window : todo.windows()) {
        todo_.add({zone.align_down(window.begin), zone.align_up(window.end)});
    }
}

void Worklist::put_first(const Window& window) {
    Piece piece;
    piece.window = {zone_.align_down(window.begin), zone_.align_up(window.end)};
    piece.whole_wanted = true;
    todo_.subtract(piece.window);
    pieces_.push_front(piece);
}

std::optional<Piece> Worklist::take(bool others_uncounted) {
    if (!pieces_.empty()) {
        Piece piece = pieces_.front();
        pieces_.pop_front();
        return piece;
    }
    if (todo_.empty() || (others_uncounted && planner_.exploring())) {
        return std::nullopt;
    }
    Piece piece;
    piece.window = direction_ == Direction::newest_first ? newest_piece(todo_.windows().back())
                                                         : oldest_piece(todo_.windows().front());
    todo_.subtract(piece.window);
    return piece;
}

std::optional<Instant> Worklist::untaken_from() const {
    return todo_.empty() ? std::nullopt : std::optional(todo_.windows().front().begin);
}

void Worklist::counted(const Piece& piece, std::uint64_t records) {
    planner_.observe(piece.window.width(), records);
}

void Worklist::done(const Piece& piece) {
    planner_.served(piece.window.width());
}

void Worklist::again(Piece piece) {
    pieces_.push_front(std::move(piece));
}

bool Worklist::cut(const Piece& piece, std::uint64_t records) {
    if (!divisible(piece.window)) {
        return false;
    }
    planner_.observe(piece.window.width(), records);
    todo_.add(piece.window);
    return true;
}

void Worklist::not_whole(Piece piece, const std::string& reason) {
    ++piece.unproven;
    const bool halving_is_due = piece.unproven >= 2;
    if (halving_is_due && halve(piece)) {
        return;
    }
    if (piece.unproven >= most_attempts) {
        give_up(piece, reason);
        return;
    }
    piece.read_on = ReadOn::by_start;
    again(std::move(piece));
}

void Worklist::not_proven(Piece piece, const std::string& reason) {
    if (++piece.unproven >= most_attempts) {
        give_up(piece, reason);
        return;
    }
    again(std::move(piece));
}

void Worklist::at_fault(Piece piece, const std::string& reason) {
    if (divisible(piece.window)) {
        planner_.refuse(piece.window.width());
        halve(piece);
        return;
    }
    give_up(piece, reason);
}

bool Worklist::divisible(const Window& window) const {
    return middle(window).has_value();
}

// Where a window may be cut: not inside the hour that occurs twice.
std::optional<Instant> Worklist::middle(const Window& window) const {
    const Instant exact = window.begin + window.width() / 2;
    for (const Instant at : {zone_.align_down(exact), zone_.align_up(exact)}) {
        if (window.begin < at && at < window.end) {
            return at;
        }
    }
    return std::nullopt;
}

// What is left at last is shared out, so that nobody reads alone for long.
Seconds Worklist::next_width() const {
    const Seconds width = planner_.next();
    if (planner_.exploring()) {
        return width;
    }
    const Seconds share = std::max(todo_.width() / static_cast<std::int64_t>(readers_), Seconds(1));
    return std::min(width, std::max(share, width / least_part));
}

// A piece is not cut inside the hour that occurs twice, and never becomes wider than was asked
// while it can be cut.
Window Worklist::newest_piece(const Window& window) const {
    const Seconds width = next_width();
    if (window.width() <= width) {
        return window;
    }
    const Instant exact = window.end - width;
    const Instant up = zone_.align_up(exact);
    return {up < window.end ? up : std::max(window.begin, zone_.align_down(exact)), window.end};
}

Window Worklist::oldest_piece(const Window& window) const {
    const Seconds width = next_width();
    if (window.width() <= width) {
        return window;
    }
    const Instant exact = window.begin + width;
    const Instant down = zone_.align_down(exact);
    return {window.begin, down > window.begin ? down : std::min(window.end, zone_.align_up(exact))};
}

bool Worklist::halve(const Piece& piece) {
    const auto at = middle(piece.window);
    if (!at) {
        return false;
    }
    Piece older;
    older.window = {piece.window.begin, *at};
    Piece newer;
    newer.window = {*at, piece.window.end};
    const bool newer_first = direction_ == Direction::newest_first;
    pieces_.push_front(newer_first ? older : newer);
    pieces_.push_front(newer_first ? newer : older);
    return true;
}

void Worklist::give_up(const Piece& piece, const std::string& reason) {
    unread_.push_back({piece.window, reason});
}

}  // namespace mirror::sync

#include "core/sync/worklist.hpp"

#include <algorithm>
#include <utility>

namespace mirror::sync {

Worklist::Worklist(const Zone& zone, WindowSet todo, WidthPlanner& planner)
    : zone_(zone), planner_(planner) {
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

std::optional<Piece> Worklist::take(bool others_at_work) {
    if (!pieces_.empty()) {
        Piece piece = pieces_.front();
        pieces_.pop_front();
        return piece;
    }
    if (todo_.empty() || (others_at_work && planner_.exploring())) {
        return std::nullopt;
    }
    const Window newest = todo_.windows().back();
    Piece piece;
    piece.window = newest;
    if (newest.width() > planner_.next()) {
        piece.window.begin = cut_off(newest, newest.end - planner_.next());
    }
    todo_.subtract(piece.window);
    return piece;
}

void Worklist::done(const Piece& piece, std::uint64_t records) {
    planner_.observe(piece.window.width(), records);
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

// Where a piece begins that is to begin at `exact`: not inside the hour that occurs twice. Behind
// it where possible, so that a piece never becomes wider than was asked while it can be cut.
Instant Worklist::cut_off(const Window& window, Instant exact) const {
    const Instant up = zone_.align_up(exact);
    return up < window.end ? up : std::max(window.begin, zone_.align_down(exact));
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
    pieces_.push_front(older);
    pieces_.push_front(newer);
    return true;
}

void Worklist::give_up(const Piece& piece, const std::string& reason) {
    unread_.push_back({piece.window, reason});
}

}  // namespace mirror::sync

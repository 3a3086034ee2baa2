#include "core/time/window.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mirror {

Window intersection(const Window& a, const Window& b) {
    const Window shared{std::max(a.begin, b.begin), std::min(a.end, b.end)};
    return shared.empty() ? Window{} : shared;
}

void WindowSet::add(const Window& window) {
    if (window.empty()) {
        return;
    }
    // [first, last): the windows that overlap or touch the new one, and become part of it.
    const auto first =
        std::lower_bound(windows_.begin(), windows_.end(), window.begin,
                         [](const Window& held, Instant begin) { return held.end < begin; });
    const auto last =
        std::upper_bound(first, windows_.end(), window.end,
                         [](Instant end, const Window& held) { return end < held.begin; });
    Window merged = window;
    if (first != last) {
        merged.begin = std::min(merged.begin, first->begin);
        merged.end = std::max(merged.end, std::prev(last)->end);
    }
    windows_.insert(windows_.erase(first, last), merged);
}

void WindowSet::add(const WindowSet& other) {
    std::vector<Window> all;
    all.reserve(windows_.size() + other.windows_.size());
    std::merge(windows_.begin(), windows_.end(), other.windows_.begin(), other.windows_.end(),
               std::back_inserter(all));
    windows_.clear();
    for (const Window& window : all) {
        add(window);  // at the end, each time
    }
}

// The windows before it end at `at` or earlier.
WindowSet::Place WindowSet::first_ending_after(Instant at) const {
    return std::upper_bound(windows_.begin(), windows_.end(), at,
                            [](Instant limit, const Window& held) { return limit < held.end; });
}

// The windows before it begin earlier than `at`.
WindowSet::Place WindowSet::first_beginning_from(Instant at) const {
    return std::lower_bound(windows_.begin(), windows_.end(), at,
                            [](const Window& held, Instant limit) { return held.begin < limit; });
}

void WindowSet::subtract(const Window& window) {
    if (window.empty()) {
        return;
    }
    const Place first = first_ending_after(window.begin);
    const Place last = first_beginning_from(window.end);
    if (first == last) {
        return;
    }
    const Window before{first->begin, window.begin};
    const Window after{window.end, std::prev(last)->end};
    auto at = windows_.erase(first, last);
    if (!after.empty()) {
        at = windows_.insert(at, after);
    }
    if (!before.empty()) {
        windows_.insert(at, before);
    }
}

void WindowSet::subtract(const WindowSet& other) {
    std::vector<Window> rest;
    rest.reserve(windows_.size() + other.windows_.size());
    auto taken = other.windows_.begin();
    for (const Window& held : windows_) {
        Instant begin = held.begin;
        while (taken != other.windows_.end() && taken->end <= begin) {
            ++taken;
        }
        // One that reaches past this window may take from the next one, too.
        for (auto next = taken; next != other.windows_.end() && next->begin < held.end; ++next) {
            if (begin < next->begin) {
                rest.push_back({begin, next->begin});
            }
            begin = std::max(begin, next->end);
            taken = next;
        }
        if (begin < held.end) {
            rest.push_back({begin, held.end});
        }
    }
    windows_ = std::move(rest);
}

bool WindowSet::contains(const Window& window) const {
    if (window.empty()) {
        return true;
    }
    const Place found = first_ending_after(window.begin);
    return found != windows_.end() && found->contains(window);
}

WindowSet WindowSet::within(const Window& window) const {
    WindowSet inside;
    if (window.empty()) {
        return inside;
    }
    inside.windows_.assign(first_ending_after(window.begin), first_beginning_from(window.end));
    if (!inside.empty()) {
        Window& first = inside.windows_.front();
        first.begin = std::max(first.begin, window.begin);
        Window& last = inside.windows_.back();
        last.end = std::min(last.end, window.end);
    }
    return inside;
}

Seconds WindowSet::width() const {
    Seconds sum{0};
    for (const Window& held : windows_) {
        sum += held.width();
    }
    return sum;
}

}  // namespace mirror

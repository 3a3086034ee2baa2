#include "core/time/window.hpp"

#include <algorithm>

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

void WindowSet::subtract(const Window& window) {
    if (window.empty()) {
        return;
    }
    std::vector<Window> rest;
    rest.reserve(windows_.size() + 1);
    for (const Window& held : windows_) {
        const Window before{held.begin, std::min(held.end, window.begin)};
        const Window after{std::max(held.begin, window.end), held.end};
        if (!before.empty()) {
            rest.push_back(before);
        }
        if (!after.empty()) {
            rest.push_back(after);
        }
    }
    windows_ = std::move(rest);
}

void WindowSet::subtract(const WindowSet& other) {
    for (const Window& window : other.windows_) {
        subtract(window);
    }
}

bool WindowSet::contains(const Window& window) const {
    return window.empty() || std::any_of(windows_.begin(), windows_.end(),
                                         [&](const Window& held) { return held.contains(window); });
}

WindowSet WindowSet::within(const Window& window) const {
    WindowSet inside;
    for (const Window& held : windows_) {
        inside.add(intersection(held, window));
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

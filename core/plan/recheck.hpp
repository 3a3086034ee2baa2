// Reading again: rows come late and are completed later, so coverage has an age. Pure.
#pragma once

#include <algorithm>
#include <vector>

#include "core/time/window.hpp"

namespace mirror::plan {

/// A period that was read whole when it was at least so old.
struct AgedWindow {
    Seconds age{};
    Window window;
    friend bool operator==(const AgedWindow&, const AgedWindow&) = default;
};

/// What a whole read of `window` at the server's time `read_at` covers at an age: the part that
/// was that old already.
inline Window covered_at_age(const Window& window, Instant read_at, Seconds age) {
    const Window part{window.begin, std::min(window.end, read_at - age)};
    return part.empty() ? Window{} : part;
}

/// What is to be read again for the sake of an age: what is covered and old enough by now, but was
/// younger when it was last read. Only since the mirror began to follow the account (less the
/// age): what it fetched as history was old when it came. Empty until it is worth a batch: until
/// some of it has been due for a quarter of the age.
inline WindowSet due_at_age(const WindowSet& covered, const WindowSet& covered_at_this_age,
                            Instant following_since, Instant server_now, Seconds age) {
    WindowSet due = covered.within({following_since - age, server_now - age});
    due.subtract(covered_at_this_age);
    const bool worth_it = !due.empty() && due.windows().front().begin <= server_now - age - age / 4;
    return worth_it ? due : WindowSet{};
}

}  // namespace mirror::plan

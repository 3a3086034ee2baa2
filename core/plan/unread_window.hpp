// A period that could not be read.
#pragma once

#include <string>

#include "core/time/window.hpp"

namespace mirror::plan {

/// A period that this run could not complete, and why.
struct UnreadWindow {
    Window window;
    std::string reason;
    friend bool operator==(const plan::UnreadWindow&, const plan::UnreadWindow&) = default;
};

}  // namespace mirror::plan

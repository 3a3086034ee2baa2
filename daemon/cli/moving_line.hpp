// One line at the bottom of a terminal that is written anew while work goes on.
#pragma once

#include <string>

#include "daemon/process/environment.hpp"

namespace mirror::daemon {

/// On standard error, if that is a terminal that understands it; elsewhere nothing is shown. Goes
/// away with the object.
class MovingLine {
  public:
    /// `quiet`: nothing is shown.
    MovingLine(const Environment& environment, bool quiet);
    MovingLine(const MovingLine&) = delete;
    MovingLine& operator=(const MovingLine&) = delete;
    ~MovingLine() { clear(); }

    /// Whether show() shows anything.
    bool is_visible() const { return visible_; }

    /// As much of the text as the terminal is wide.
    void show(const std::string& text);
    void clear();

  private:
    const Environment& environment_;
    bool visible_;
    bool shown_ = false;
};

}  // namespace mirror::daemon

#include "daemon/cli/moving_line.hpp"

#include <ostream>

#include "daemon/cli/terminal_text.hpp"

namespace mirror::daemon {
namespace {

// Carriage return, then "erase the line" (ECMA-48 EL 2).
constexpr const char* erase_line = "\r\x1b[2K";

}  // namespace

MovingLine::MovingLine(const Environment& environment, bool quiet)
    : environment_(environment),
      visible_(environment.err_is_terminal && !environment.no_color && !quiet) {}

void MovingLine::show(const std::string& text) {
    if (visible_) {
        environment_.err << erase_line << fitted(text, environment_.err_columns()) << std::flush;
        shown_ = true;
    }
}

void MovingLine::clear() {
    if (shown_) {
        environment_.err << erase_line << std::flush;
        shown_ = false;
    }
}

}  // namespace mirror::daemon

// What to say of a command line that was not understood.
#pragma once

#include <string>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace mirror::daemon {

/// One line for people: what was not understood, the nearest thing that would be, and where to
/// look. It repeats no value of an option that it does not know: that may be a token.
std::string usage_text(const CLI::App& app, const CLI::ParseError& error);

}  // namespace mirror::daemon

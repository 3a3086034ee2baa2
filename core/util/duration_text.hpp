// A length of time as people say it.
#pragma once

#include <chrono>
#include <string>

namespace mirror {

/// Rounded down, in two units at most: "45 s", "12 min", "3 h 20 min", "12 d 5 h", "581 d". Less
/// than zero is "0 s". What a configuration takes is another form: see format_duration().
std::string duration_text(std::chrono::seconds duration);

}  // namespace mirror

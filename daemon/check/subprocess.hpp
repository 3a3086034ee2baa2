// Another program's answer.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace mirror::daemon {

/// What `words` (a program of the PATH and its arguments) writes to standard output, at most 64 KiB
/// of it; its standard error is lost. It gets no environment but a PATH: no secret of ours. Nothing
/// where it cannot be started, does not end in time (it is killed then) or ends with an error.
std::optional<std::string> output_of(const std::vector<std::string>& words,
                                     std::chrono::milliseconds patience);

}  // namespace mirror::daemon

// Mistakes that a person puts right before trying again: exit code 2.
#pragma once

#include <stdexcept>

namespace mirror::daemon {

/// Usage, configuration, or no token. what() names the file, line and key, or the option.
class UsageError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

}  // namespace mirror::daemon

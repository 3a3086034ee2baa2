// What ends a run beside the errors of the API (core/copernica/errors.hpp) and of the storage. Each
// what() says what failed and what to do.
#pragma once

#include <stdexcept>

namespace mirror::sync {

/// The API shows rows later than its own clock, as read in the configured zone.
class WrongZone : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Another version of the API shows other rows than the file has.
class OtherRows : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

}  // namespace mirror::sync

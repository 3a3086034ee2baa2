// What ends a run, for people and for exit codes. Each what() says what failed and what to do.
#pragma once

#include <stdexcept>

namespace mirror::copernica {

/// The API could not be reached, kept failing, or refused the request.
class ApiFailed : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The API refused the token.
class TokenRefused : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

}  // namespace mirror::copernica

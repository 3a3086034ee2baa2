// What ends a run, for people and for exit codes. Each what() says what failed and what to do.
#pragma once

#include <stdexcept>
#include <string>

namespace mirror::copernica {

/// The API could not be reached, kept failing, or refused the request.
class ApiFailed : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The API refused the token.
class TokenRefused : public std::runtime_error {
  public:
    explicit TokenRefused(const std::string& what, int status = 0)
        : std::runtime_error(what), status_(status) {}

    /// HTTP status; 0 if it was not the API that refused it.
    int status() const { return status_; }

  private:
    int status_;
};

}  // namespace mirror::copernica

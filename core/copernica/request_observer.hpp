// What the client reports about its requests.
#pragma once

#include <chrono>
#include <string>

namespace mirror::copernica {

/// How one request ended. All but `ok`, `interim` and `cancelled` are what ErrorKind says, judged
/// by us.
enum class RequestOutcome {
    ok,
    /// Another request of the same call followed: a redirect, a dead connection, a doubtful page
    /// asked for again, the check of a new token.
    interim,
    failed,  ///< no usable answer: refused, cut off, timed out, 429, 5xx
    invalid_response,
    request_refused,
    token_refused,
    unusable,
    cancelled,  ///< by us, on the way to the end
};

/// Called on the loop's thread; must not block, nor throw. Override what you need.
class RequestObserver {
  public:
    virtual ~RequestObserver() = default;

    // Lines for the log, each complete in itself.
    virtual void debug(const std::string&) {}
    virtual void info(const std::string&) {}
    virtual void warning(const std::string&) {}

    /// A request goes out, or its connection is about to be opened.
    virtual void request_begun() {}
    /// A request ended, after so long.
    virtual void request_ended(RequestOutcome, std::chrono::nanoseconds) {}
    /// A call failed; why, for people.
    virtual void request_failed(const std::string&) {}
    /// One that failed is made again.
    virtual void request_again() {}
    /// The rate that the server takes has changed, in requests a second.
    virtual void rate_changed(double) {}
};

}  // namespace mirror::copernica

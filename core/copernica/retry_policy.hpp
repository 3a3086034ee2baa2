// What to do about a request that failed: the one place that decides it. Pure.
#pragma once

#include <chrono>
#include <optional>

#include "core/copernica/api.hpp"
#include "core/time/instant.hpp"

namespace mirror::copernica {

/// Failures of one request in a row after which another request is tried, to see if the fault is
/// that of the first.
inline constexpr int failures_before_probe = 3;

/// Failures of one request that cannot be made smaller, after which it is given up if others are
/// answered.
inline constexpr int failures_before_giving_up = 8;

/// Refusals in a row, each not in the API's own form, after which a command that ends by itself
/// gives up if nothing was answered yet: the URL is likely to be wrong.
inline constexpr int refusals_before_giving_up = 5;

/// How things are after a request has failed.
struct FailedRequest {
    ErrorKind kind = ErrorKind::try_again;
    int status = 0;
    std::optional<std::chrono::seconds> retry_after;
    int failures = 1;      ///< of this request in a row, without replies of 429
    int probe_after = 0;   ///< failures after which others are tried; 0: never for a failure
    bool answered = true;  ///< some request of this run has succeeded
    std::chrono::milliseconds failing_for{0};  ///< since when no request has succeeded
    std::optional<Seconds> give_up_after;      ///< nothing: never
    int refusals = 0;  ///< of this stream in a row, though identity does not refuse the token
    bool others_go_on = false;  ///< other streams are mirrored, too
};

enum class NextStep {
    again,            ///< after a pause
    ask_others,       ///< is another request answered? then the fault is that of this one
    token_refused,    ///< the end: the token
    unusable,         ///< the end: only a person can help
    stream_refused,   ///< the end of this stream's run: the token may not read it
    wrong_address,    ///< the end: nothing was ever answered, and what is there refuses everything
    wait_too_long,    ///< the end: the server asks to wait for longer than `give_up_after`
    patience_is_over  ///< the end: nothing has succeeded for `give_up_after`
};

NextStep next_step(const FailedRequest& failed);

/// Whether a failure tells something about the request that met it. "Too many requests" does not.
bool concerns_request(const ApiError& error);

}  // namespace mirror::copernica

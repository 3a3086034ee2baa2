// The API as the mirror sees it: three kinds of calls, and the ways in which they fail. No
// transport here.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "core/copernica/page.hpp"
#include "core/copernica/page_query.hpp"
#include "core/copernica/path_choice.hpp"
#include "core/copernica/request_gate.hpp"
#include "core/copernica/statistics.hpp"
#include "core/record/stream.hpp"
#include "core/time/instant.hpp"

namespace mirror::copernica {

struct PageReply {
    Page page;
    std::optional<Instant> date;  ///< the reply's `Date`, if it has a readable one
};

/// Whose token it is.
struct Identity {
    std::string id;
    std::string name;
    std::optional<Instant> date;
};

/// What the API bills.
struct Consumption {
    std::uint64_t api_calls = 0;
};

/// What to do about a failed call.
enum class ErrorKind {
    /// Refused, reset, cut off, timed out, 429, 5xx, or a refusal that is not the API's own: a
    /// gateway's, or one that identity does not share.
    try_again,
    invalid_response,  ///< 200, but not a reply that can be believed
    request_refused,   ///< a 400, 404 or the like, in the API's own form: the same request will
                       ///< fail again, unless it was a 400 because of the token: ask identity
    token_refused,     ///< 401, 403, or a 400 of `identity`, in the API's own form
    unusable,          ///< cannot work until a person acts: a certificate that does not verify
};

/// what() says what failed, on what and why, in one line for people; never the token, and
/// nothing of the API's text unescaped.
class ApiError : public std::runtime_error {
  public:
    ApiError(ErrorKind kind, const std::string& message, int status = 0,
             std::optional<std::chrono::seconds> retry_after = std::nullopt)
        : std::runtime_error(message), kind_(kind), status_(status), retry_after_(retry_after) {}

    ErrorKind kind() const { return kind_; }
    /// HTTP status; 0 if there was no reply.
    int status() const { return status_; }
    std::optional<std::chrono::seconds> retry_after() const { return retry_after_; }

    /// No connection could be made, so the fault is not the request's.
    bool unreachable() const { return unreachable_; }
    ApiError& set_unreachable() {
        unreachable_ = true;
        return *this;
    }

    /// The body was cut off or is too large, so that a smaller page may pass.
    bool maybe_too_large() const { return maybe_too_large_; }
    ApiError& set_maybe_too_large() {
        maybe_too_large_ = true;
        return *this;
    }

  private:
    ErrorKind kind_;
    int status_;
    std::optional<std::chrono::seconds> retry_after_;
    bool unreachable_ = false;
    bool maybe_too_large_ = false;
};

/// The calls. Each throws ApiError, or boost::system::system_error (operation_aborted) when the
/// calling coroutine is cancelled. Calls may overlap. Each passes `gate` before each request that
/// it makes; the gate must outlive the call.
class Api {
  public:
    virtual ~Api() = default;

    /// One page of a stream, complete and decoded, but not judged: status 200, a whole body, JSON
    /// of the expected shape. Whether it answers the question is the caller's to check.
    virtual boost::asio::awaitable<PageReply> page(const Stream& stream, PageQuery query,
                                                   RequestGate& gate) = 0;

    virtual boost::asio::awaitable<Identity> identity(RequestGate& gate) = 0;

    /// What the API counts of a mailing: status 200 and the counts that were asked for, or a
    /// mailing that it does not know.
    virtual boost::asio::awaitable<StatisticsReply> statistics(StatisticsQuery query,
                                                               RequestGate& gate) = 0;

    /// The version of the API: 3 or 4.
    virtual int version() const { return 3; }
    /// Where the stream's call was found; nothing while that is not known.
    virtual std::optional<PathFamily> paths_of(const Stream&) const { return std::nullopt; }
    /// Where an earlier process found it: to be tried first.
    virtual void expect_paths(const Stream&, PathFamily) {}
};

}  // namespace mirror::copernica

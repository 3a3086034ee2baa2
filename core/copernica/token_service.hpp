// The service that makes the tokens of version 4 from the account's token.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include "core/copernica/api.hpp"
#include "core/copernica/reply_body.hpp"
#include "core/copernica/request_observer.hpp"
#include "core/http/route.hpp"
#include "core/time/clock.hpp"
#include "core/util/secret.hpp"

namespace mirror::copernica {

/// Asked some times a day, so it keeps no connection.
class TokenService {
  public:
    struct Made {
        Made(std::string its_token, std::optional<Instant> its_date)
            : token(std::move(its_token)), date(its_date) {}
        Secret token;
        std::optional<Instant> date;  ///< the reply's `Date`
    };

    /// Each request has a line in the observer's debug log. Both must outlive it.
    TokenService(http::Route route, std::string user_agent, Clock& clock, RequestObserver& observer)
        : route_(std::move(route)),
          user_agent_(std::move(user_agent)),
          clock_(clock),
          observer_(observer) {}

    /// Makes one, in one try, once the caller has passed the gate for it. Throws ApiError, which
    /// says that it was this service that failed: token_refused if it takes the account's token for
    /// wrong.
    boost::asio::awaitable<Made> exchange(Secret api_token);

    /// Of an exchange that was given up after so long.
    ApiError too_slow(std::chrono::seconds after) const;

    /// Requests that were sent.
    std::uint64_t requests() const { return requests_; }

  private:
    boost::asio::awaitable<Answer> ask(const Secret& api_token);
    boost::asio::awaitable<std::string> read(Answer& answer);
    void log(const std::string& result, Monotonic begun) const;
    ApiError failed(ErrorKind kind, const std::string& why, int status = 0,
                    std::optional<Seconds> retry_after = std::nullopt) const;
    ApiError refused(const http::ReplyHeader& header, const std::string& body) const;

    http::Route route_;
    std::string user_agent_;
    Clock& clock_;
    RequestObserver& observer_;
    std::uint64_t requests_ = 0;
};

}  // namespace mirror::copernica

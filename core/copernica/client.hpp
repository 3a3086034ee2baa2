// Rate-limited, validated requests, timed by the server's clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "core/copernica/api.hpp"
#include "core/copernica/client_options.hpp"
#include "core/copernica/outage.hpp"
#include "core/copernica/request_observer.hpp"
#include "core/copernica/server_clock.hpp"
#include "core/copernica/throttle.hpp"
#include "core/util/async_condition.hpp"

namespace mirror::copernica {

/// A reply that is plainly right.
struct FetchedPage {
    FetchedPage() = default;
    FetchedPage(Page fetched_page, Instant until)
        : page(std::move(fetched_page)), valid_until(until) {}

    Page page;
    Instant valid_until{};  ///< server's clock: the reply proves nothing later
};

class Client {
  public:
    Client(const boost::asio::any_io_executor& executor, Api& api, Clock& clock,
           RequestObserver& observer, const ClientOptions& options);

    /// One request. Throws ApiError, also where the reply is not plainly right.
    boost::asio::awaitable<FetchedPage> page(PageQuery query, Seconds slack);
    boost::asio::awaitable<Identity> identity();

    /// The same, again and again until it is answered. Throws what ends a run
    /// (copernica/errors.hpp).
    boost::asio::awaitable<FetchedPage> fetch_with_retry(PageQuery query, Seconds slack);
    boost::asio::awaitable<Identity> identity_with_retry();

    /// As fetch_with_retry(), but nothing where this request is refused or keeps failing while
    /// another is answered.
    boost::asio::awaitable<std::optional<FetchedPage>> fetch_unless_at_fault(PageQuery query,
                                                                             Seconds slack);

    /// Returns if another try makes sense, throws what ends a run otherwise.
    void throw_if_fatal(const ApiError& error) const;

    /// To be called before the same request is made again: retries are counted.
    void retrying() { observer_.request_again(); }

    /// Who is at fault for a request that is refused or keeps failing? True where the API answers
    /// another one for impressions, so that it is the request; false where it does not answer.
    /// Throws TokenRefused where it is the token, ApiFailed where every request is refused.
    boost::asio::awaitable<bool> api_answers_others();

    Instant server_now() const { return server_clock_.now(clock_.monotonic()); }
    bool server_clock_known() const { return server_clock_.accepted(); }

    /// The end of what can be complete now: settled, and not inside the hour that occurs twice.
    Instant settled() const;

    Monotonic monotonic() const { return clock_.monotonic(); }

    /// Why requests fail for some time now; nothing while they do not.
    const std::optional<std::string>& outage() const { return outage_.reason(); }
    /// Waits until there is an outage.
    boost::asio::awaitable<void> outage_begins();

    std::uint64_t requests() const { return throttle_.requests(); }
    std::uint64_t successes() const { return throttle_.successes(); }

  private:
    void succeeded(Throttle::Permit& permit);
    void failed(Throttle::Permit& permit, const ApiError& error);

    Api& api_;
    Clock& clock_;
    RequestObserver& observer_;
    const ClientOptions& options_;
    Throttle throttle_;
    ServerClock server_clock_;
    OutageLog outage_;
    AsyncCondition outage_began_;
};

}  // namespace mirror::copernica

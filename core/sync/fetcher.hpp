// Requests with manners: through the gate, judged, and timed by the server's clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "core/api/api.hpp"
#include "core/sync/gate.hpp"
#include "core/sync/observer.hpp"
#include "core/sync/outage.hpp"
#include "core/sync/server_clock.hpp"
#include "core/sync/settings.hpp"
#include "core/sync/wakeup.hpp"

namespace mirror::sync {

/// A reply that is plainly right.
struct Fetched {
    Fetched() = default;
    Fetched(Page fetched_page, Instant until)
        : page(std::move(fetched_page)), speaks_until(until) {}

    Page page;
    Instant speaks_until{};  ///< server's clock: the reply proves nothing later
};

class Fetcher {
  public:
    Fetcher(const boost::asio::any_io_executor& executor, api::Api& api, Clock& clock,
            Observer& observer, const Settings& settings);

    /// One request. Throws ApiError, also where the reply is not plainly right.
    boost::asio::awaitable<Fetched> page(api::PageQuery query, Seconds slack);
    boost::asio::awaitable<api::Identity> identity();

    /// The same, again and again until it is answered. Throws what ends a run (sync/errors.hpp).
    boost::asio::awaitable<Fetched> page_at_last(api::PageQuery query, Seconds slack);
    boost::asio::awaitable<api::Identity> identity_at_last();

    /// As page_at_last(), but nothing where this request is refused or keeps failing while
    /// another is answered.
    boost::asio::awaitable<std::optional<Fetched>> page_unless_at_fault(api::PageQuery query,
                                                                        Seconds slack);

    /// Returns where another try makes sense, throws what ends a run otherwise.
    void check_hope(const api::ApiError& error) const;

    /// Who is at fault for a request that is refused or keeps failing? True where the API answers
    /// another one for impressions, so that it is the request; false where it does not answer.
    /// Throws TokenRefused where it is the token, ApiFailed where every request is refused.
    boost::asio::awaitable<bool> request_at_fault();

    Instant server_now() const { return server_clock_.now(clock_.monotonic()); }
    bool server_clock_known() const { return server_clock_.accepted(); }

    /// The end of what can be complete now: settled, and not inside the hour that occurs twice.
    Instant settled() const;

    Monotonic monotonic() const { return clock_.monotonic(); }

    /// Why requests fail for some time now; nothing while they do not.
    const std::optional<std::string>& outage() const { return outage_.reason(); }
    /// Waits until there is an outage.
    boost::asio::awaitable<void> outage_begins();

    std::uint64_t requests() const { return gate_.requests(); }
    std::uint64_t successes() const { return gate_.successes(); }

  private:
    void succeeded(Gate::Pass& pass);
    void failed(Gate::Pass& pass, const api::ApiError& error);

    api::Api& api_;
    Clock& clock_;
    Observer& observer_;
    const Settings& settings_;
    Gate gate_;
    ServerClock server_clock_;
    OutageLog outage_;
    Wakeup outage_began_;
};

}  // namespace mirror::sync

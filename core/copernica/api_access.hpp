// What all streams of a process share of the API: the throttle, the server's clock, outages.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "core/copernica/api.hpp"
#include "core/copernica/client_options.hpp"
#include "core/copernica/outage.hpp"
#include "core/copernica/request_gate.hpp"
#include "core/copernica/request_observer.hpp"
#include "core/copernica/server_clock.hpp"
#include "core/copernica/throttle.hpp"
#include "core/util/async_condition.hpp"

namespace mirror::copernica {

/// One for each process, so that its limits are kept by all clients together, one for each of the
/// streams. All arguments must outlive it.
class ApiAccess {
  public:
    ApiAccess(const boost::asio::any_io_executor& executor, Api& api, Clock& clock,
              RequestObserver& observer, const ClientOptions& options, unsigned streams = 1);
    ApiAccess(const ApiAccess&) = delete;
    ApiAccess& operator=(const ApiAccess&) = delete;

    Api& api() { return api_; }
    Clock& clock() { return clock_; }
    RequestObserver& observer() { return observer_; }
    const ClientOptions& options() const { return options_; }
    Throttle& throttle() { return throttle_; }
    ServerClock& server_clock() { return server_clock_; }

    /// Clients of several streams use it.
    bool several_streams() const { return streams_ > 1; }

    /// A request for a page, or for the statistics of a mailing.
    struct Asked {
        const Stream* stream = nullptr;
        PageQuery query;
        std::optional<std::int64_t> mailing{};
        friend bool operator==(const Asked&, const Asked&) = default;
    };

    /// One call: its permit, and how each of its requests ended.
    class Exchange final : public RequestGate {
      public:
        /// `requests` counts them.
        Exchange(ApiAccess& owner, Throttle::Permit permit, std::uint64_t& requests)
            : owner_(owner), permit_(std::move(permit)), requests_(requests) {}
        Exchange(const Exchange&) = delete;
        Exchange& operator=(const Exchange&) = delete;
        ~Exchange() override { tell(outcome_); }

        boost::asio::awaitable<void> pass() override;
        void ended(RequestOutcome outcome) { outcome_ = outcome; }
        /// Since the last request began.
        std::chrono::nanoseconds took() const;
        Throttle::Permit& permit() { return permit_; }

      private:
        void tell(RequestOutcome outcome);

        ApiAccess& owner_;
        Throttle::Permit permit_;
        std::uint64_t& requests_;
        std::optional<Monotonic> begun_;  // the request at hand
        RequestOutcome outcome_ = RequestOutcome::cancelled;
    };

    /// How a call ended. `asked` is nothing if no period can be at fault: identity, or a probe.
    void succeeded(Throttle::Permit& permit);
    void failed(Throttle::Permit& permit, const ApiError& error, std::optional<Asked> asked);
    void note_outage(const ApiError& error, bool concerns_all);
    /// An answer ends an outage.
    void note_answer();

    /// Why requests fail for some time now; nothing while they do not.
    const std::optional<std::string>& outage() const { return outage_.reason(); }
    /// Waits until there is an outage.
    boost::asio::awaitable<void> outage_begins();

    /// Takes over `requests_per_second` of the options, which has changed.
    void use_rate();

    Instant server_now() const { return server_clock_.now(clock_.monotonic()); }

  private:
    void tell_rate();

    Api& api_;
    Clock& clock_;
    RequestObserver& observer_;
    const ClientOptions& options_;
    Throttle throttle_;
    double told_rate_ = 0;
    ServerClock server_clock_;
    OutageLog outage_;
    AsyncCondition outage_began_;
    std::optional<Asked> last_failed_;  // since the last success
    unsigned streams_;
};

}  // namespace mirror::copernica

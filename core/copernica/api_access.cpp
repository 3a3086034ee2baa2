#include "core/copernica/api_access.hpp"

#include <random>

#include "core/copernica/retry_policy.hpp"

namespace mirror::copernica {

namespace asio = boost::asio;

asio::awaitable<void> ApiAccess::Exchange::pass() {
    tell(RequestOutcome::interim);
    co_await permit_.pass();
    ++requests_;
    begun_ = owner_.clock_.monotonic();
    owner_.observer_.request_begun();
}

std::chrono::nanoseconds ApiAccess::Exchange::took() const {
    return begun_ ? owner_.clock_.monotonic() - *begun_ : std::chrono::nanoseconds(0);
}

void ApiAccess::Exchange::tell(RequestOutcome outcome) {
    if (begun_) {
        const Monotonic begun = *std::exchange(begun_, std::nullopt);
        owner_.observer_.request_ended(outcome, owner_.clock_.monotonic() - begun);
    }
}

ApiAccess::ApiAccess(const asio::any_io_executor& executor, Api& api, Clock& clock,
                     RequestObserver& observer, const ClientOptions& options, unsigned streams)
    : api_(api),
      clock_(clock),
      observer_(observer),
      options_(options),
      throttle_(executor, clock, {options.requests_per_second, options.connections},
                options.jitter_seed ? *options.jitter_seed : std::random_device{}()),
      server_clock_(clock.utc(), clock.monotonic()),
      outage_began_(executor),
      streams_(streams) {}

void ApiAccess::tell_rate() {
    if (throttle_.rate() != told_rate_) {
        told_rate_ = throttle_.rate();
        observer_.rate_changed(told_rate_);
    }
}

void ApiAccess::use_rate() {
    throttle_.set_rate(options_.requests_per_second);
    tell_rate();
}

void ApiAccess::succeeded(Throttle::Permit& permit) {
    permit.succeeded();
    last_failed_.reset();
    tell_rate();
    note_answer();
}

void ApiAccess::failed(Throttle::Permit& permit, const ApiError& error,
                       std::optional<Asked> asked) {
    observer_.request_failed(error.what());
    if (error.kind() == ErrorKind::request_refused) {
        succeeded(permit);  // an answer, and none that waiting would change
        return;
    }
    const bool concerns_all = !asked || error.unreachable() || !concerns_request(error);
    const bool others_failed = last_failed_ && last_failed_ != asked;
    last_failed_ = asked.value_or(Asked{});
    if (!concerns_request(error)) {
        permit.too_fast(error.retry_after());
        tell_rate();
    } else {
        permit.failed(error.retry_after(), concerns_all || others_failed
                                               ? Throttle::Scope::server
                                               : Throttle::Scope::request);
    }
    // A call of identity decides what a refused token means.
    if (error.kind() != ErrorKind::token_refused) {
        note_outage(error, concerns_all);
    }
}

void ApiAccess::note_outage(const ApiError& error, bool concerns_all) {
    if (const auto line =
            outage_.failed(trouble_of(error), error.what(), clock_.monotonic(), concerns_all)) {
        observer_.warning(*line);
        outage_began_.notify_all();
    }
}

void ApiAccess::note_answer() {
    if (const auto line = outage_.succeeded(clock_.monotonic())) {
        observer_.info(*line);
    }
}

asio::awaitable<void> ApiAccess::outage_begins() {
    while (!outage_.reason()) {
        co_await outage_began_.wait();
    }
}

}  // namespace mirror::copernica

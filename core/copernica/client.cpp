#include "core/copernica/client.hpp"

#include <optional>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "core/copernica/errors.hpp"
#include "core/copernica/page_check.hpp"

namespace mirror::copernica {

namespace asio = boost::asio;

namespace {

// Failures of one request after which, if another is answered, the fault is its own.
constexpr int most_failures = 8;

RequestOutcome outcome_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::try_again:
            break;
        case ErrorKind::invalid_response:
            return RequestOutcome::invalid_response;
        case ErrorKind::request_refused:
            return RequestOutcome::request_refused;
        case ErrorKind::token_refused:
            return RequestOutcome::token_refused;
        case ErrorKind::unusable:
            return RequestOutcome::unusable;
    }
    return RequestOutcome::failed;
}

// Tells of one request when it has ended, however that is.
class Measured {
  public:
    Measured(RequestObserver& observer, Clock& clock)
        : observer_(observer), clock_(clock), begun_(clock.monotonic()) {}
    Measured(const Measured&) = delete;
    Measured& operator=(const Measured&) = delete;
    ~Measured() { observer_.request_ended(outcome_, clock_.monotonic() - begun_); }

    void ended(RequestOutcome outcome) { outcome_ = outcome; }

  private:
    RequestObserver& observer_;
    Clock& clock_;
    Monotonic begun_;
    RequestOutcome outcome_ = RequestOutcome::cancelled;
};

}  // namespace

Client::Client(const asio::any_io_executor& executor, Api& api, Clock& clock,
               RequestObserver& observer, const ClientOptions& options)
    : api_(api),
      clock_(clock),
      observer_(observer),
      options_(options),
      throttle_(executor, clock, {options.requests_per_second, options.connections},
                options.jitter_seed ? *options.jitter_seed : std::random_device{}()),
      server_clock_(clock.utc(), clock.monotonic()),
      outage_began_(executor) {}

void Client::succeeded(Throttle::Permit& permit) {
    permit.succeeded();
    if (const auto line = outage_.succeeded(clock_.monotonic())) {
        observer_.info(*line);
    }
}

void Client::failed(Throttle::Permit& permit, const ApiError& error) {
    if (error.kind() == ErrorKind::request_refused) {
        succeeded(permit);  // an answer, and none that waiting would change
        return;
    }
    permit.failed(error.retry_after());
    if (error.kind() == ErrorKind::token_refused) {
        // An answer, so no outage; what it means is told by who waits for another token.
        if (const auto line = outage_.succeeded(clock_.monotonic())) {
            observer_.info(*line);
        }
        return;
    }
    if (const auto line = outage_.failed(trouble_of(error), error.what(), clock_.monotonic())) {
        observer_.warning(*line);
        outage_began_.notify_all();
    }
}

asio::awaitable<void> Client::outage_begins() {
    while (!outage_.reason()) {
        co_await outage_began_.wait();
    }
}

asio::awaitable<FetchedPage> Client::page(PageQuery query, Seconds slack) {
    Throttle::Permit permit = co_await throttle_.enter();
    Measured measured(observer_, clock_);
    try {
        PageReply reply = co_await api_.impressions(query);
        const Monotonic now = clock_.monotonic();
        server_clock_.observe(reply.date, now);
        if (const auto why = why_invalid(query, reply.page, slack)) {
            throw ApiError(ErrorKind::invalid_response, "a reply cannot be right: " + *why, 200);
        }
        const auto until = server_clock_.valid_until(reply.date, now);
        if (!until) {
            throw ApiError(ErrorKind::invalid_response,
                           "a reply has no readable Date, so it proves nothing", 200);
        }
        succeeded(permit);
        measured.ended(RequestOutcome::ok);
        co_return FetchedPage(std::move(reply.page), *until);
    } catch (const ApiError& error) {
        measured.ended(outcome_of(error.kind()));
        failed(permit, error);
        throw;
    }
}

asio::awaitable<Identity> Client::identity() {
    Throttle::Permit permit = co_await throttle_.enter();
    Measured measured(observer_, clock_);
    try {
        Identity identity = co_await api_.identity();
        server_clock_.observe(identity.date, clock_.monotonic());
        succeeded(permit);
        measured.ended(RequestOutcome::ok);
        co_return identity;
    } catch (const ApiError& error) {
        measured.ended(outcome_of(error.kind()));
        failed(permit, error);
        throw;
    }
}

asio::awaitable<FetchedPage> Client::fetch_with_retry(PageQuery query, Seconds slack) {
    for (;;) {
        std::optional<ApiError> failed;
        try {
            co_return co_await page(query, slack);
        } catch (const ApiError& error) {
            failed = error;
        }
        throw_if_fatal(*failed);
        if (failed->kind() == ErrorKind::request_refused) {
            const bool refused = co_await api_answers_others();
            if (refused) {
                throw ApiFailed(failed->what());
            }
        }
        retrying();
    }
}

asio::awaitable<std::optional<FetchedPage>> Client::fetch_unless_at_fault(PageQuery query,
                                                                          Seconds slack) {
    for (int failures = 1;; ++failures) {
        std::optional<ApiError> failed;
        try {
            co_return co_await page(query, slack);
        } catch (const ApiError& error) {
            failed = error;
        }
        throw_if_fatal(*failed);
        if (failed->kind() == ErrorKind::request_refused || failures >= most_failures) {
            const bool at_fault = co_await api_answers_others();
            if (at_fault) {
                co_return std::nullopt;
            }
        }
        retrying();
    }
}

asio::awaitable<Identity> Client::identity_with_retry() {
    for (;;) {
        std::optional<ApiError> failed;
        try {
            co_return co_await identity();
        } catch (const ApiError& error) {
            failed = error;
        }
        throw_if_fatal(*failed);
        if (failed->kind() == ErrorKind::request_refused) {
            throw ApiFailed(failed->what());
        }
        retrying();
    }
}

void Client::throw_if_fatal(const ApiError& error) const {
    switch (error.kind()) {
        case ErrorKind::token_refused:
            throw TokenRefused(error.what());
        case ErrorKind::unusable:
            throw ApiFailed(error.what());
        case ErrorKind::request_refused:
            if (error.status() == 404) {
                throw ApiFailed(error.what());
            }
            return;
        case ErrorKind::try_again:
        case ErrorKind::invalid_response:
            break;
    }
    if (!options_.give_up_after) {
        return;
    }
    if (error.retry_after() && *error.retry_after() > *options_.give_up_after) {
        throw ApiFailed(fmt::format("{}; it asks to wait {} s, longer than give_up_after",
                                    error.what(), error.retry_after()->count()));
    }
    if (throttle_.failing_for() >= *options_.give_up_after) {
        throw ApiFailed(fmt::format("gave up after {} s without a success; last: {}",
                                    options_.give_up_after->count(), error.what()));
    }
}

asio::awaitable<bool> Client::api_answers_others() {
    // A day in which there can be no rows yet: whoever cannot answer this cannot answer anything.
    const Instant now = options_.zone.align_up(server_now());
    PageQuery harmless;
    harmless.begintime = options_.zone.to_local(now);
    harmless.endtime = options_.zone.to_local(now + std::chrono::hours(24));
    harmless.limit = 1;
    std::optional<ApiError> failed;
    try {
        const FetchedPage answered = co_await page(harmless, repeated_hour);
    } catch (const ApiError& error) {
        failed = error;
    }
    if (!failed) {
        co_return true;
    }
    throw_if_fatal(*failed);
    if (failed->kind() != ErrorKind::request_refused) {
        co_return false;
    }
    std::optional<ApiError> unknown;
    try {
        const Identity known = co_await identity();
    } catch (const ApiError& error) {
        unknown = error;
    }
    if (!unknown) {
        throw ApiFailed(failed->what());
    }
    throw_if_fatal(*unknown);
    if (unknown->kind() == ErrorKind::request_refused) {
        throw ApiFailed(unknown->what());
    }
    co_return false;
}

Instant Client::settled() const {
    return options_.zone.align_down(server_now() - options_.settle);
}

}  // namespace mirror::copernica

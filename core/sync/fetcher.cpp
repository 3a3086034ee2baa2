#include "core/sync/fetcher.hpp"

#include <optional>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "core/sync/errors.hpp"
#include "core/sync/page_check.hpp"

namespace mirror::sync {

namespace asio = boost::asio;
using api::ApiError;
using api::ErrorKind;

namespace {

// Failures of one request after which, if another is answered, the fault is its own.
constexpr int most_failures = 8;

RequestOutcome outcome_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::try_again:
            break;
        case ErrorKind::not_plainly_right:
            return RequestOutcome::not_plainly_right;
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
    Measured(Observer& observer, Clock& clock)
        : observer_(observer), clock_(clock), begun_(clock.monotonic()) {}
    Measured(const Measured&) = delete;
    Measured& operator=(const Measured&) = delete;
    ~Measured() { observer_.request_ended(outcome_, clock_.monotonic() - begun_); }

    void ended(RequestOutcome outcome) { outcome_ = outcome; }

  private:
    Observer& observer_;
    Clock& clock_;
    Monotonic begun_;
    RequestOutcome outcome_ = RequestOutcome::cancelled;
};

}  // namespace

Fetcher::Fetcher(const asio::any_io_executor& executor, api::Api& api, Clock& clock,
                 Observer& observer, const Settings& settings)
    : api_(api),
      clock_(clock),
      observer_(observer),
      settings_(settings),
      gate_(executor, clock, {settings.requests_per_second, settings.connections},
            settings.jitter_seed ? *settings.jitter_seed : std::random_device{}()),
      server_clock_(clock.utc(), clock.monotonic()),
      outage_began_(executor) {}

void Fetcher::succeeded(Gate::Pass& pass) {
    pass.succeeded();
    if (const auto line = outage_.succeeded(clock_.monotonic())) {
        observer_.info(*line);
    }
}

void Fetcher::failed(Gate::Pass& pass, const ApiError& error) {
    if (error.kind() == ErrorKind::request_refused) {
        succeeded(pass);  // an answer, and none that waiting would change
        return;
    }
    pass.failed(error.retry_after());
    if (error.kind() == ErrorKind::token_refused) {
        // An answer, so no outage; what it means is told by who waits for another token.
        if (const auto line = outage_.succeeded(clock_.monotonic())) {
            observer_.info(*line);
        }
        return;
    }
    if (const auto line = outage_.failed(error.what(), clock_.monotonic())) {
        observer_.warning(*line);
        outage_began_.wake_all();
    }
}

asio::awaitable<void> Fetcher::outage_begins() {
    while (!outage_.reason()) {
        co_await outage_began_.wait();
    }
}

asio::awaitable<Fetched> Fetcher::page(api::PageQuery query, Seconds slack) {
    Gate::Pass pass = co_await gate_.enter();
    Measured measured(observer_, clock_);
    try {
        api::PageReply reply = co_await api_.impressions(query);
        const Monotonic now = clock_.monotonic();
        server_clock_.observe(reply.date, now);
        if (const auto why = why_not_right(query, reply.page, slack)) {
            throw ApiError(ErrorKind::not_plainly_right, "a reply cannot be right: " + *why, 200);
        }
        const auto until = server_clock_.speaks_until(reply.date, now);
        if (!until) {
            throw ApiError(ErrorKind::not_plainly_right,
                           "a reply has no readable Date, so it proves nothing", 200);
        }
        succeeded(pass);
        measured.ended(RequestOutcome::ok);
        co_return Fetched(std::move(reply.page), *until);
    } catch (const ApiError& error) {
        measured.ended(outcome_of(error.kind()));
        failed(pass, error);
        throw;
    }
}

asio::awaitable<api::Identity> Fetcher::identity() {
    Gate::Pass pass = co_await gate_.enter();
    Measured measured(observer_, clock_);
    try {
        api::Identity identity = co_await api_.identity();
        server_clock_.observe(identity.date, clock_.monotonic());
        succeeded(pass);
        measured.ended(RequestOutcome::ok);
        co_return identity;
    } catch (const ApiError& error) {
        measured.ended(outcome_of(error.kind()));
        failed(pass, error);
        throw;
    }
}

asio::awaitable<Fetched> Fetcher::page_at_last(api::PageQuery query, Seconds slack) {
    for (;;) {
        std::optional<ApiError> failed;
        try {
            co_return co_await page(query, slack);
        } catch (const ApiError& error) {
            failed = error;
        }
        check_hope(*failed);
        if (failed->kind() == ErrorKind::request_refused) {
            const bool refused = co_await request_at_fault();
            if (refused) {
                throw ApiFailed(failed->what());
            }
        }
    }
}

asio::awaitable<std::optional<Fetched>> Fetcher::page_unless_at_fault(api::PageQuery query,
                                                                      Seconds slack) {
    for (int failures = 1;; ++failures) {
        std::optional<ApiError> failed;
        try {
            co_return co_await page(query, slack);
        } catch (const ApiError& error) {
            failed = error;
        }
        check_hope(*failed);
        if (failed->kind() == ErrorKind::request_refused || failures >= most_failures) {
            const bool at_fault = co_await request_at_fault();
            if (at_fault) {
                co_return std::nullopt;
            }
        }
    }
}

asio::awaitable<api::Identity> Fetcher::identity_at_last() {
    for (;;) {
        std::optional<ApiError> failed;
        try {
            co_return co_await identity();
        } catch (const ApiError& error) {
            failed = error;
        }
        check_hope(*failed);
        if (failed->kind() == ErrorKind::request_refused) {
            throw ApiFailed(failed->what());
        }
    }
}

void Fetcher::check_hope(const ApiError& error) const {
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
        case ErrorKind::not_plainly_right:
            break;
    }
    if (!settings_.give_up_after) {
        observer_.request_again();
        return;
    }
    if (error.retry_after() && *error.retry_after() > *settings_.give_up_after) {
        throw ApiFailed(fmt::format("{}; it asks to wait {} s, longer than give_up_after",
                                    error.what(), error.retry_after()->count()));
    }
    if (gate_.failing_for() >= *settings_.give_up_after) {
        throw ApiFailed(fmt::format("gave up after {} s without a success; last: {}",
                                    settings_.give_up_after->count(), error.what()));
    }
    observer_.request_again();
}

asio::awaitable<bool> Fetcher::request_at_fault() {
    // A day in which there can be no rows yet: whoever cannot answer this cannot answer anything.
    const Instant now = settings_.zone.align_up(server_now());
    api::PageQuery harmless;
    harmless.begintime = settings_.zone.to_local(now);
    harmless.endtime = settings_.zone.to_local(now + std::chrono::hours(24));
    harmless.limit = 1;
    std::optional<ApiError> failed;
    try {
        const Fetched answered = co_await page(harmless, std::chrono::hours(1));
    } catch (const ApiError& error) {
        failed = error;
    }
    if (!failed) {
        co_return true;
    }
    check_hope(*failed);
    if (failed->kind() != ErrorKind::request_refused) {
        co_return false;
    }
    std::optional<ApiError> unknown;
    try {
        const api::Identity known = co_await identity();
    } catch (const ApiError& error) {
        unknown = error;
    }
    if (!unknown) {
        throw ApiFailed(failed->what());
    }
    check_hope(*unknown);
    if (unknown->kind() == ErrorKind::request_refused) {
        throw ApiFailed(unknown->what());
    }
    co_return false;
}

Instant Fetcher::settled() const {
    return settings_.zone.align_down(server_now() - settings_.settle);
}

}  // namespace mirror::sync

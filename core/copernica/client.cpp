#include "core/copernica/client.hpp"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/copernica/errors.hpp"
#include "core/copernica/page_check.hpp"
#include "core/copernica/retry_policy.hpp"
#include "core/copernica/twins.hpp"
#include "core/util/duration_text.hpp"

namespace mirror::copernica {

namespace asio = boost::asio;

namespace {

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

// Of a call that refuses a token which identity takes.
ApiError not_the_token(const ApiError& refusal) {
    return ApiError(ErrorKind::try_again,
                    std::string(refusal.what()) + ", though identity does not refuse the token",
                    refusal.status());
}

}  // namespace

Client::Client(ApiAccess& access, RequestObserver& observer, const Stream& stream)
    : access_(access), observer_(observer), stream_(stream), options_(access.options()) {}

asio::awaitable<PageReply> Client::ask_valid(PageQuery query, Seconds slack, RequestGate& gate) {
    PageReply reply = co_await access_.api().page(stream_, query, gate);
    set_twins_apart(stream_, reply.page);
    access_.server_clock().observe(reply.date, access_.clock().monotonic());
    if (const auto why = why_invalid(query, reply.page, slack)) {
        throw ApiError(ErrorKind::invalid_response, "a reply cannot be right: " + *why, 200);
    }
    co_return reply;
}

// What is in two replies is what the API has, however bad it is.
asio::awaitable<PageReply> Client::ask_twice_if_doubtful(PageQuery query, Seconds slack,
                                                         RequestGate& gate) {
    PageReply first = co_await ask_valid(query, slack, gate);
    const std::optional<std::string> doubt = why_doubtful(first.page);
    if (!doubt) {
        co_return first;
    }
    PageReply second = co_await ask_valid(query, slack, gate);
    if (!why_doubtful(second.page)) {
        co_return second;
    }
    if (!same_unusable(first.page, second.page)) {
        throw ApiError(
            ErrorKind::invalid_response,
            "a reply cannot be right: " + *doubt + ", and not the same ones in the next reply",
            200);
    }
    if (!std::exchange(unusable_told_, true)) {
        observer_.warning(
            fmt::format("the API serves unusable records, the same ones again when "
                        "asked twice: {}; they are kept in the table rejects",
                        *doubt));
    }
    co_return second;
}

asio::awaitable<FetchedPage> Client::ask_page(PageQuery query, Seconds slack, Lane lane,
                                              bool concerns_all) {
    Throttle::Permit permit = co_await access_.throttle().enter(lane);
    ApiAccess::Exchange exchange(access_, std::move(permit), requests_);
    try {
        PageReply reply = co_await ask_twice_if_doubtful(query, slack, exchange);
        const auto until =
            access_.server_clock().valid_until(reply.date, access_.clock().monotonic());
        if (!until) {
            throw ApiError(ErrorKind::invalid_response,
                           "a reply has no readable Date, so it proves nothing", 200);
        }
        if (reply.page.unusual_form && !std::exchange(unusual_form_told_, true)) {
            observer_.warning(fmt::format(
                "the API writes IDs or times in another form than documented, such as {}; they are "
                "read as what they plainly mean, and the column extra has what it wrote",
                *reply.page.unusual_form));
        }
        access_.succeeded(exchange.permit());
        refusals_ = 0;
        exchange.ended(RequestOutcome::ok);
        co_return FetchedPage(std::move(reply.page), *until, exchange.took());
    } catch (const ApiError& error) {
        exchange.ended(outcome_of(error.kind()));
        std::optional<ApiAccess::Asked> asked;
        if (!concerns_all) {
            asked = {&stream_, query};
        }
        access_.failed(exchange.permit(), error, asked);
        throw;
    }
}

asio::awaitable<FetchedPage> Client::page(PageQuery query, Seconds slack, Lane lane) {
    co_return co_await ask_page_and_token(query, slack, lane, false);
}

asio::awaitable<FetchedPage> Client::ask_page_and_token(PageQuery query, Seconds slack, Lane lane,
                                                        bool concerns_all) {
    std::optional<ApiError> failed;
    try {
        co_return co_await ask_page(query, slack, lane, concerns_all);
    } catch (const ApiError& error) {
        failed = error;
    }
    if (failed->kind() != ErrorKind::token_refused) {
        refusals_ = 0;  // what counts is how many follow each other
    } else {
        const bool refused = co_await token_is_refused(lane);
        if (!refused) {
            ++refusals_;
            const ApiError other_cause = not_the_token(*failed);
            // Others go on if it is this stream's trouble only.
            if (!access_.several_streams()) {
                access_.note_outage(other_cause, concerns_all);
            }
            throw other_cause;
        }
        // What it means is told by whoever waits for another token.
        access_.note_answer();
    }
    throw *failed;
}

// One refusal may be a mistake, so `identity` is asked. An answer from it does not end the trouble.
asio::awaitable<bool> Client::token_is_refused(Lane lane) {
    try {
        co_await ask_identity(lane, false);
    } catch (const ApiError& error) {
        co_return error.kind() == ErrorKind::token_refused;
    }
    co_return false;
}

asio::awaitable<Identity> Client::identity(Lane lane) {
    try {
        co_return co_await ask_identity(lane, true);
    } catch (const ApiError& error) {
        if (error.kind() == ErrorKind::token_refused) {
            access_.note_answer();
        }
        throw;
    }
}

asio::awaitable<Identity> Client::ask_identity(Lane lane, bool ends_trouble) {
    Throttle::Permit permit = co_await access_.throttle().enter(lane);
    ApiAccess::Exchange exchange(access_, std::move(permit), requests_);
    try {
        Identity identity = co_await access_.api().identity(exchange);
        access_.server_clock().observe(identity.date, access_.clock().monotonic());
        if (ends_trouble) {
            access_.succeeded(exchange.permit());
        }
        exchange.ended(RequestOutcome::ok);
        co_return identity;
    } catch (const ApiError& error) {
        exchange.ended(outcome_of(error.kind()));
        access_.failed(exchange.permit(), error, std::nullopt);
        throw;
    }
}

asio::awaitable<FetchedPage> Client::fetch_with_retry(PageQuery query, Seconds slack) {
    for (int failures = 0;;) {
        std::optional<ApiError> failed;
        try {
            // Nothing goes on without it, so its failures are an outage.
            co_return co_await ask_page_and_token(query, slack, Lane::backlog, true);
        } catch (const ApiError& error) {
            failed = error;
        }
        failures += concerns_request(*failed) ? 1 : 0;
        Failed again{*failed, failures};
        const bool retry = co_await is_worth_retrying(std::move(again));
        if (!retry) {
            throw ApiFailed(failed->what());
        }
    }
}

asio::awaitable<std::optional<FetchedPage>> Client::fetch_unless_at_fault(PageQuery query,
                                                                          Seconds slack,
                                                                          int most_failures) {
    for (int failures = 0;;) {
        std::optional<ApiError> failed;
        try {
            co_return co_await page(query, slack);
        } catch (const ApiError& error) {
            failed = error;
        }
        failures += concerns_request(*failed) ? 1 : 0;
        Failed again{*failed, failures, most_failures};
        const bool retry = co_await is_worth_retrying(std::move(again));
        if (!retry) {
            co_return std::nullopt;
        }
    }
}

asio::awaitable<StatisticsReply> Client::ask_statistics(StatisticsQuery query) {
    Throttle::Permit permit = co_await access_.throttle().enter(Lane::backlog);
    ApiAccess::Exchange exchange(access_, std::move(permit), requests_);
    ApiAccess::Asked asked;
    asked.stream = &stream_;
    asked.mailing = query.mailing;
    try {
        StatisticsReply reply = co_await access_.api().statistics(std::move(query), exchange);
        access_.server_clock().observe(reply.date, access_.clock().monotonic());
        access_.succeeded(exchange.permit());
        refused_statistics_ = 0;
        exchange.ended(RequestOutcome::ok);
        co_return reply;
    } catch (const ApiError& error) {
        exchange.ended(outcome_of(error.kind()));
        access_.failed(exchange.permit(), error, asked);
        throw;
    }
}

asio::awaitable<FetchedStatistics> Client::statistics_unless_at_fault(StatisticsQuery query) {
    FetchedStatistics fetched;
    for (int failures = 0;;) {
        std::optional<ApiError> failed;
        try {
            StatisticsReply reply = co_await ask_statistics(query);
            fetched.counts = std::move(reply.counts);
            co_return fetched;
        } catch (const ApiError& error) {
            failed = error;
        }
        if (failed->kind() != ErrorKind::token_refused) {
            refused_statistics_ = 0;
        } else {
            const bool refused = co_await token_is_refused(Lane::backlog);
            if (refused) {
                access_.note_answer();
            } else {
                ++refused_statistics_;
                failed = not_the_token(*failed);
            }
        }
        failures += concerns_request(*failed) ? 1 : 0;
        Failed again{*failed, failures, failures_before_giving_up, Lane::backlog, true};
        const bool retry = co_await is_worth_retrying(std::move(again));
        if (!retry) {
            fetched.failed = failed->what();
            co_return fetched;
        }
    }
}

asio::awaitable<Identity> Client::identity_with_retry() {
    for (int failures = 0;;) {
        std::optional<ApiError> failed;
        try {
            co_return co_await identity();
        } catch (const ApiError& error) {
            failed = error;
        }
        if (failed->kind() == ErrorKind::request_refused) {
            throw ApiFailed(failed->what());
        }
        failures += concerns_request(*failed) ? 1 : 0;
        Failed again{*failed, failures};
        co_await is_worth_retrying(std::move(again));
    }
}

asio::awaitable<bool> Client::is_worth_retrying(Failed failed) {
    throw_if_fatal(failed);
    const NextStep step = next_step(how_it_is(failed));
    if (step == NextStep::ask_others) {
        const bool at_fault = co_await api_answers_others(failed.lane);
        if (at_fault) {
            co_return false;
        }
    } else if (concerns_request(failed.error)) {
        co_await access_.clock().sleep(
            access_.throttle().pause_after(static_cast<unsigned>(failed.failures)));
    }
    access_.observer().request_again();
    co_return true;
}

FailedRequest Client::how_it_is(const Failed& failed) const {
    FailedRequest how;
    how.kind = failed.error.kind();
    how.status = failed.error.status();
    how.retry_after = failed.error.retry_after();
    how.failures = failed.failures;
    how.probe_after = failed.probe_after;
    how.answered = access_.throttle().successes() > 0;
    how.failing_for = access_.throttle().failing_for();
    how.give_up_after = options_.give_up_after;
    how.refusals = failed.of_statistics ? refused_statistics_ : refusals_;
    how.others_go_on = failed.of_statistics || access_.several_streams();
    return how;
}

void Client::throw_if_fatal(const Failed& failed) const {
    const ApiError& error = failed.error;
    FailedRequest how = how_it_is(failed);
    how.probe_after = 0;
    switch (next_step(how)) {
        case NextStep::again:
        case NextStep::ask_others:
            return;
        case NextStep::token_refused:
            throw TokenRefused(error.what(), error.status());
        case NextStep::unusable:
            throw ApiFailed(error.what());
        case NextStep::stream_refused:
            if (failed.of_statistics) {
                throw ApiFailed(
                    fmt::format("{}; give the token the right to read the statistics of mailings",
                                error.what()));
            }
            throw ApiFailed(
                fmt::format("{}; give the token the right to read {}, or take them out of [mirror] "
                            "streams",
                            error.what(), stream_.name));
        case NextStep::wrong_address:
            throw ApiFailed(fmt::format("{}; is [api] url right?", error.what()));
        case NextStep::wait_too_long:
            throw ApiFailed(fmt::format("{}; it asks to wait {}, longer than give_up_after",
                                        error.what(), duration_text(*error.retry_after())));
        case NextStep::patience_is_over:
            throw_no_success(error);
    }
}

void Client::throw_if_patience_is_over(const ApiError& error) const {
    if (next_step(how_it_is({error})) == NextStep::patience_is_over) {
        throw_no_success(error);
    }
}

void Client::throw_no_success(const ApiError& last) const {
    throw ApiFailed(
        fmt::format("gave up after {} without a success; last: {}; run "
                    "`copernica-mirror check` to diagnose",
                    duration_text(options_.give_up_after.value()), last.what()));
}

// Whose fault is a request that is refused or keeps failing? True if the API answers another one of
// this stream: then it is the request's. False if it does not answer, or refuses the token for this
// stream only. Throws TokenRefused if it is the token, ApiFailed if every request is refused.
asio::awaitable<bool> Client::api_answers_others(Lane lane) {
    // A day in which there can be no rows yet: whoever cannot answer this cannot answer anything.
    const Instant now = options_.zone.align_up(server_now());
    PageQuery harmless;
    harmless.begintime = options_.zone.to_local(now);
    harmless.endtime = options_.zone.to_local(now + std::chrono::hours(24));
    harmless.limit = 1;
    std::optional<ApiError> failed;
    try {
        const FetchedPage answered =
            co_await ask_page_and_token(harmless, repeated_hour, lane, true);
    } catch (const ApiError& error) {
        failed = error;
    }
    if (!failed) {
        co_return true;
    }
    if (failed->kind() != ErrorKind::request_refused) {
        const Failed once{*failed};
        throw_if_fatal(once);
        co_return false;
    }
    std::optional<ApiError> unknown;
    try {
        const Identity known = co_await identity(lane);
    } catch (const ApiError& error) {
        unknown = error;
    }
    if (!unknown) {
        throw ApiFailed(failed->what());
    }
    const Failed once{*unknown};
    throw_if_fatal(once);
    if (unknown->kind() == ErrorKind::request_refused) {
        throw ApiFailed(unknown->what());
    }
    co_return false;
}

Instant Client::settled() const {
    return options_.zone.align_down(server_now() - options_.settle);
}

}  // namespace mirror::copernica

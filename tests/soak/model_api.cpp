#include "tests/soak/model_api.hpp"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/copernica/identity_decoder.hpp"
#include "core/copernica/statistics_decoder.hpp"
#include "core/copernica/status_kind.hpp"
#include "core/time/text.hpp"
#include "tests/simulator/answer.hpp"

namespace mirror::soak {

namespace asio = boost::asio;
using copernica::ApiError;
using copernica::ErrorKind;
using simulator::Delivery;

namespace {

// The client's patience with silence (api::Timeouts).
constexpr std::chrono::seconds silence{30};

std::optional<std::chrono::seconds> retry_after_of(const simulator::Reply& reply) {
    for (const auto& [name, value] : reply.headers) {
        if (name == "Retry-After") {
            return std::chrono::seconds(std::stoll(value));
        }
    }
    return std::nullopt;
}

ApiError refused(const simulator::Reply& reply, bool is_identity) {
    const int status = static_cast<int>(reply.status);
    const bool in_own_form = copernica::decode_error_message(reply.body).has_value();
    const ErrorKind kind = copernica::kind_of_status(status, is_identity, in_own_form);
    return ApiError(kind, "HTTP status " + std::to_string(status), status,
                    kind == ErrorKind::try_again ? retry_after_of(reply) : std::nullopt);
}

std::string path_of(const simulator::Request& request) {
    switch (request.call) {
        case simulator::Call::identity:
            return "/v3/identity";
        case simulator::Call::statistics:
            return "/v3/ms/emailing/" + std::to_string(request.mailing) + "/statistics";
        default:
            return "/v3/ms/impressions";
    }
}

bool is_whole(Delivery delivery) {
    return delivery == Delivery::whole || delivery == Delivery::close_after;
}

bool hangs(Delivery delivery) {
    return delivery == Delivery::hang || delivery == Delivery::hang_in_body;
}

}  // namespace

// The body of a reply that came whole, with status 200.
asio::awaitable<std::string> ModelApi::body_of(simulator::Request& request, Trouble& what) {
    request.number = ++requests_;
    if (request.call == simulator::Call::impressions) {
        request.call_number = ++calls_;
    }
    request.path = path_of(request);
    request.method = "GET";
    request.token_right = true;
    if (trouble) {
        what = trouble(request);
    }
    co_await clock_.sleep(what.latency);
    if (on_arrival) {
        on_arrival();
    }
    const Delivery delivery = what.fault ? what.fault->delivery : Delivery::whole;
    if (what.fault) {
        co_await clock_.sleep(what.fault->delay);
    }
    if (!is_whole(delivery)) {
        co_await clock_.sleep(hangs(delivery) ? silence : std::chrono::seconds(0));
        throw ApiError(ErrorKind::try_again, "the connection failed");
    }
    simulator::Answer answer =
        simulator::answer(request, account_, behaviour_, what.fault, clock_.now());
    if (reply_limit && answer.rows > reply_limit->records) {
        co_await clock_.sleep(silence);
        if (reply_limit->cut) {
            throw ApiError(ErrorKind::try_again, "the connection failed");
        }
        answer.reply = *simulator::faults::gateway(504).reply;
    }
    if (answer.reply.status != 200) {
        throw refused(answer.reply, request.call == simulator::Call::identity);
    }
    co_return std::move(answer.reply.body);
}

asio::awaitable<copernica::PageReply> ModelApi::page(const Stream& stream,
                                                     copernica::PageQuery query,
                                                     copernica::RequestGate& gate) {
    co_await gate.pass();
    simulator::Request request;
    request.call = simulator::Call::impressions;
    request.question.begin = query.begintime;
    request.question.end = query.endtime;
    request.question.start = query.start;
    request.question.limit = query.limit;
    request.question.total = query.total;
    Trouble what;
    std::string body;
    try {
        body = co_await body_of(request, what);
    } catch (const ApiError& error) {
        say(query, error.what());
        throw;
    }
    say(query, (what.fault ? "distorted: " : "") + body);
    copernica::PageReply reply;
    if (what.date_error) {
        reply.date = clock_.now() + *what.date_error;
    }
    // The way back takes its time, too: what is logged meanwhile is not in the reply.
    co_await clock_.sleep(what.latency);
    try {
        decoder_.begin(stream, privacy);
        decoder_.feed(body);
        decoder_.finish();
        reply.page = decoder_.take();
    } catch (const http::BadBody& bad) {
        throw ApiError(ErrorKind::invalid_response, bad.what());
    }
    co_return reply;
}

void ModelApi::say(const copernica::PageQuery& query, const std::string& outcome) const {
    constexpr std::size_t enough = 120;
    if (tell) {
        tell(fmt::format("{} asked {} to {} from {}, {}: {}", format_utc(clock_.now()),
                         format_local(query.begintime), format_local(query.endtime), query.start,
                         query.limit, outcome.substr(0, enough)));
    }
}

asio::awaitable<copernica::Identity> ModelApi::identity(copernica::RequestGate& gate) {
    co_await gate.pass();
    simulator::Request request;
    request.call = simulator::Call::identity;
    Trouble what;
    const std::string body = co_await body_of(request, what);
    try {
        copernica::Identity identity = copernica::decode_identity(body);
        if (what.date_error) {
            identity.date = clock_.now() + *what.date_error;
        }
        co_return identity;
    } catch (const http::BadBody& bad) {
        throw ApiError(ErrorKind::invalid_response, bad.what());
    }
}

asio::awaitable<copernica::StatisticsReply> ModelApi::statistics(copernica::StatisticsQuery query,
                                                                 copernica::RequestGate& gate) {
    co_await gate.pass();
    simulator::Request request;
    request.call = simulator::Call::statistics;
    request.mailing = query.mailing;
    request.question.begin = query.begintime;
    request.question.end = query.endtime;
    Trouble what;
    copernica::StatisticsReply reply;
    std::string body;
    try {
        body = co_await body_of(request, what);
    } catch (const ApiError& error) {
        constexpr int not_found = 404;
        if (error.kind() != ErrorKind::request_refused || error.status() != not_found) {
            throw;
        }
        co_return reply;
    }
    try {
        reply.counts = copernica::decode_statistics(body, query.streams);
    } catch (const http::BadBody& bad) {
        throw ApiError(ErrorKind::invalid_response, bad.what());
    }
    if (what.date_error) {
        reply.date = clock_.now() + *what.date_error;
    }
    co_return reply;
}

}  // namespace mirror::soak

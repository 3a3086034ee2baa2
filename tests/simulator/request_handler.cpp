#include "tests/simulator/request_handler.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "tests/simulator/answer.hpp"
#include "tests/simulator/wire.hpp"

namespace simulator {
namespace {

using Monotonic = std::chrono::steady_clock;

bool accepts_gzip(const Request& request) {
    const auto accepted = request.headers.find("accept-encoding");
    return accepted != request.headers.end() && accepted->second.find("gzip") != std::string::npos;
}

bool sends_nothing(Delivery delivery) {
    return delivery == Delivery::close_before || delivery == Delivery::reset_before ||
           delivery == Delivery::hang;
}

}  // namespace

RequestHandler::RequestHandler(Account& account, Behaviour behaviour, Bookkeeping& books)
    : account_(account), books_(books), behaviour_(std::move(behaviour)) {}

Behaviour RequestHandler::behaviour() const {
    const std::lock_guard lock(mutex_);
    return behaviour_;
}

void RequestHandler::change(const std::function<void(Behaviour&)>& edit) {
    const std::lock_guard lock(mutex_);
    edit(behaviour_);
}

void RequestHandler::set_rule(Rule rule) {
    const std::lock_guard lock(mutex_);
    rule_ = std::move(rule);
}

void RequestHandler::set_before(Hook hook) {
    const std::lock_guard lock(mutex_);
    before_ = std::move(hook);
}

void RequestHandler::set_after(Hook hook) {
    const std::lock_guard lock(mutex_);
    after_ = std::move(hook);
}

Exchange RequestHandler::handle(Request& request, bool keep_alive, std::uint64_t served) {
    Behaviour behaviour;
    Rule rule;
    Hook before;
    Hook after;
    {
        const std::lock_guard lock(mutex_);
        behaviour = behaviour_;
        rule = rule_;
        before = before_;
        after = after_;
        request.received_at = clock_.now();
        request.received_at_monotonic = Monotonic::now();
        understand(request, behaviour);
    }
    books_.enter(request, std::chrono::floor<std::chrono::days>(
                              account_.zone().to_local(request.received_at)));
    const bool last = !keep_alive || (behaviour.requests_per_connection != 0 &&
                                      served >= behaviour.requests_per_connection);

    Exchange exchange;
    std::optional<Fault> fault;
    Answer answered;
    try {
        if (before) {
            before(request);
        }
        if (rule) {
            fault = rule(request);
        }
        if (!fault && over_the_rate(behaviour)) {
            fault = faults::too_many_requests(behaviour.retry_after);
        }
        answered = answer(request, account_, behaviour, fault, clock_.now());
        if (fault && fault->raw) {
            exchange.raw = fault->raw(answered.reply.body);
        }
    } catch (const std::exception& error) {
        // A rule or hook of the test threw: let the test see it as a reply.
        answered.reply = {500, "text/plain", {}, std::string("simulator: ") + error.what()};
    }

    exchange.wait = behaviour.latency + answered.cost;
    if (fault) {
        exchange.wait += fault->delay;
        exchange.delivery = fault->delivery;
    }
    if (last && exchange.delivery == Delivery::whole) {
        exchange.delivery = Delivery::close_after;
    }
    Framed framed{behaviour, fault, date(request, behaviour), accepts_gzip(request), keep_alive};
    exchange.wire = to_wire(answered.reply, framed);

    LogEntry entry;
    entry.request = request;
    entry.status = sends_nothing(exchange.delivery) ? 0 : answered.reply.status;
    entry.rows = answered.rows;
    entry.total = answered.total;
    entry.faulty = fault.has_value();
    books_.keep(std::move(entry));
    if (after) {
        after(request);
    }
    return exchange;
}

std::vector<Values> RequestHandler::truth(StreamId stream) const {
    std::vector<Values> rows = account_.of(stream).truth(clock_.now());
    if (!behaviour().profile_fields) {
        const std::vector<std::string> columns = columns_of(stream);
        for (Values& row : rows) {
            for (std::size_t i = 0; i < columns.size(); ++i) {
                if (columns[i] == "profile" || columns[i] == "subprofile") {
                    row[i] = Value();
                }
            }
        }
    }
    return rows;
}

bool RequestHandler::over_the_rate(const Behaviour& behaviour) {
    if (behaviour.requests_per_second == 0) {
        return false;
    }
    const auto now = Monotonic::now();
    while (!recent_.empty() && now - recent_.front() >= std::chrono::seconds(1)) {
        recent_.pop_front();
    }
    if (recent_.size() >= behaviour.requests_per_second) {
        return true;
    }
    recent_.push_back(now);
    return false;
}

std::optional<std::string> RequestHandler::date(const Request& request,
                                                const Behaviour& behaviour) const {
    const DateHeader& header = behaviour.date;
    const bool concerned = request.number % std::max<std::uint64_t>(header.every, 1) == 0;
    const mirror::Instant now = clock_.now();
    if (!concerned) {
        return http_date(now);
    }
    switch (header.form) {
        case DateHeader::Form::absent:
            return std::nullopt;
        case DateHeader::Form::unreadable:
            return "half past nine, or so";
        case DateHeader::Form::readable:
            break;
    }
    return http_date(now + header.skew);
}

}  // namespace simulator

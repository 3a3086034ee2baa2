#include "tests/simulator/fault.hpp"

#include <memory>
#include <random>

#include "tests/simulator/chance.hpp"
#include "tests/simulator/encode.hpp"

namespace simulator {
namespace faults {
namespace {

std::string html(const std::string& title, const std::string& text) {
    return "<html><head><title>" + title + "</title></head>\r\n<body><h1>" + title +
           "</h1>\r\n<p>" + text + "</p></body></html>\r\n";
}

Fault on_page(std::function<void(Page&)> edit) {
    Fault fault;
    fault.page = std::move(edit);
    return fault;
}

Fault on_body(std::function<void(std::string&)> edit) {
    Fault fault;
    fault.body = std::move(edit);
    return fault;
}

std::uint64_t moved(std::uint64_t number, std::int64_t by) {
    return by < 0 && number < static_cast<std::uint64_t>(-by)
               ? 0
               : number + static_cast<std::uint64_t>(by);
}

}  // namespace

Fault status(unsigned status, std::string body, std::string content_type) {
    Reply reply;
    reply.status = status;
    reply.body = std::move(body);
    reply.content_type = std::move(content_type);
    Fault fault;
    fault.reply = std::move(reply);
    return fault;
}

Fault error(unsigned code, const std::string& message) {
    return status(code, error_body(message, Encoding::php), "application/json");
}

Fault invalid_token() {
    return error(400, "Invalid access token");
}

Fault redirect(const std::string& location, unsigned code) {
    Fault fault = status(code);
    fault.reply->headers.emplace_back("Location", location);
    return fault;
}

Fault too_many_requests(std::optional<std::string> retry_after) {
    Fault fault = error(429, "Too many requests");
    if (retry_after) {
        fault.reply->headers.emplace_back("Retry-After", *retry_after);
    }
    return fault;
}

Fault gateway(unsigned code) {
    return status(code, code == 502 ? html("502 Server Error", "The server gave no answer.")
                                    : html("Loadbalancer Error", "Too many requests to handle."));
}

Fault html_as_ok() {
    return status(200, html("Maintenance", "We are back soon."));
}

Fault empty_reply() {
    return on_page([](Page& page) {
        page.records.clear();
        page.count = 0;
        if (page.total) {
            page.total = 0;
        }
    });
}

Fault short_page(std::size_t rows, bool honest_total) {
    return on_page([=](Page& page) {
        if (page.records.size() <= rows) {
            return;
        }
        page.records.resize(rows);
        page.count = rows;
        if (honest_total && page.total) {
            page.total = page.start.value_or(0) + rows;
        }
    });
}

Fault other_period(mirror::Seconds by) {
    Fault fault;
    fault.question = [by](Question& question) {
        if (question.begin) {
            *question.begin += by;
        }
        if (question.end) {
            *question.end += by;
        }
    };
    return fault;
}

Fault wrong_start(std::uint64_t by) {
    return on_page([by](Page& page) { page.start = page.start.value_or(0) + by; });
}

Fault moved_rows(std::uint64_t by) {
    Fault fault;
    fault.question = [by](Question& question) { question.start += by; };
    fault.page = [by](Page& page) { page.start = page.start.value_or(by) - by; };
    return fault;
}

Fault wrong_count(std::int64_t by) {
    return on_page([by](Page& page) { page.count = moved(page.count.value_or(0), by); });
}

Fault wrong_total(std::int64_t by) {
    return on_page([by](Page& page) {
        if (page.total) {
            page.total = moved(*page.total, by);
        }
    });
}

Fault wrong_limit(std::uint64_t limit) {
    return on_page([limit](Page& page) { page.limit = limit; });
}

Fault without_total() {
    return on_page([](Page& page) { page.total.reset(); });
}

Fault duplicate() {
    return on_page([](Page& page) {
        if (page.records.size() > 1) {
            page.records.back() = page.records.front();
        }
    });
}

Fault malformed_json() {
    // Behind the list: within a text, it would be none but another text.
    return on_body([](std::string& body) { body.insert(body.rfind(']') + 1, "}{"); });
}

Fault cut_json() {
    return on_body([](std::string& body) { body.resize(body.size() / 2); });
}

Fault trailing(const std::string& text) {
    return on_body([text](std::string& body) { body += text; });
}

Fault cut_gzip() {
    Fault fault;
    fault.bytes = [](std::string& bytes) { bytes.resize(bytes.size() - bytes.size() / 4); };
    return fault;
}

Fault raw(VerbatimReply reply) {
    Fault fault;
    fault.raw = [reply = std::move(reply)](const std::string&) { return reply; };
    return fault;
}

Fault delivery(Delivery delivery) {
    Fault fault;
    fault.delivery = delivery;
    return fault;
}

Fault delay(std::chrono::milliseconds delay) {
    Fault fault;
    fault.delay = delay;
    return fault;
}

}  // namespace faults

namespace rules {

Rule when(std::function<bool(const Request&)> condition, Fault fault) {
    return [condition = std::move(condition),
            fault = std::move(fault)](const Request& request) -> std::optional<Fault> {
        if (stream_of(request.call) && condition(request)) {
            return fault;
        }
        return std::nullopt;
    };
}

Rule nth(std::set<std::uint64_t> numbers, Fault fault) {
    return when([numbers = std::move(numbers)](
                    const Request& request) { return numbers.contains(request.call_number); },
                std::move(fault));
}

Rule every(std::uint64_t nth, Fault fault) {
    return when([nth](const Request& request) { return request.call_number % nth == 0; },
                std::move(fault));
}

Rule in_a_row(std::uint64_t from, std::uint64_t count, Fault fault) {
    return when(
        [=](const Request& request) {
            return request.call_number >= from && request.call_number - from < count;
        },
        std::move(fault));
}

Rule always(Fault fault) {
    return when([](const Request&) { return true; }, std::move(fault));
}

Rule containing(mirror::LocalTime local, Fault fault) {
    return when([local](const Request& request) { return request.question.contains(local); },
                std::move(fault));
}

Rule at_random(double share, std::uint64_t seed) {
    struct State {
        std::mt19937_64 random;
        std::vector<Fault> faults;
    };
    const auto state = std::make_shared<State>();
    state->random.seed(seed);
    state->faults = {
        faults::gateway(502),
        faults::gateway(503),
        faults::gateway(504),
        faults::status(500),
        faults::too_many_requests("1"),
        faults::html_as_ok(),
        faults::cut_json(),
        faults::delivery(Delivery::close_before),
        faults::delivery(Delivery::reset_before),
        faults::delivery(Delivery::close_in_body),
        faults::delivery(Delivery::reset_in_body),
    };
    return [state, share](const Request& request) -> std::optional<Fault> {
        if (!stream_of(request.call) ||
            std::uniform_real_distribution<>()(state->random) >= share) {
            return std::nullopt;
        }
        std::uniform_int_distribution<std::size_t> which(0, state->faults.size() - 1);
        return state->faults[which(state->random)];
    };
}

Rule first_of(std::vector<Rule> list) {
    return [list = std::move(list)](const Request& request) -> std::optional<Fault> {
        for (const Rule& rule : list) {
            if (std::optional<Fault> fault = rule(request)) {
                return fault;
            }
        }
        return std::nullopt;
    };
}

Rule unauthorized_at_random(double share, std::uint64_t seed) {
    const auto random = std::make_shared<std::mt19937_64>(seed);
    return [random, share](const Request& request) -> std::optional<Fault> {
        if (request.call == Call::token || fraction(*random) >= share) {
            return std::nullopt;
        }
        return faults::error(401, "Invalid access token");
    };
}

Rule on(StreamId stream, Rule rule) {
    return [stream, rule = std::move(rule)](const Request& request) -> std::optional<Fault> {
        return request.call == call_of(stream) ? rule(request) : std::nullopt;
    };
}

Rule identity(Fault fault) {
    return call(Call::identity, std::move(fault));
}

Rule call(Call call, Fault fault) {
    return [call, fault = std::move(fault)](const Request& request) -> std::optional<Fault> {
        return request.call == call ? std::optional(fault) : std::nullopt;
    };
}

}  // namespace rules

}  // namespace simulator

#include "tests/simulator/answer.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "core/time/text.hpp"
#include "tests/simulator/encode.hpp"

namespace simulator {
namespace {

constexpr std::uint64_t documented_page = 1000;

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return number;
}

const std::string* parameter(const Request& request, const std::string& name) {
    const auto found = request.parameters.find(name);
    return found == request.parameters.end() ? nullptr : &found->second;
}

void read_time(Request& request, const std::string& name, std::optional<mirror::LocalTime>& into) {
    const std::string* text = parameter(request, name);
    if (text == nullptr) {
        return;
    }
    constexpr std::size_t date_alone = 10;
    into = mirror::parse_local(text->size() == date_alone ? *text + " 00:00:00" : *text);
    if (!into) {
        request.complaint = "Invalid " + name;
    }
}

void read_number(Request& request, const std::string& name, std::uint64_t& into) {
    const std::string* text = parameter(request, name);
    if (text == nullptr) {
        return;
    }
    if (const auto number = parse_number(*text)) {
        into = *number;
    } else {
        request.complaint = "Invalid " + name;
    }
}

void append_member(std::string& out, std::string_view name,
                   const std::optional<std::uint64_t>& number) {
    if (number) {
        out += out.empty() ? '{' : ',';
        out += '"';
        out += name;
        out += "\":";
        out += std::to_string(*number);
    }
}

// The envelope up to the list.
std::string envelope(const Page& page) {
    std::string out;
    append_member(out, "start", page.start);
    append_member(out, "limit", page.limit);
    append_member(out, "count", page.count);
    append_member(out, "total", page.total);
    out += out.empty() ? "{\"data\":[" : ",\"data\":[";
    return out;
}

Answer refuse(unsigned status, const std::string& message, const Behaviour& behaviour) {
    Answer refusal;
    refusal.reply.status = status;
    refusal.reply.body = error_body(message, behaviour.encoding);
    return refusal;
}

bool too_long(const Question& question, const Behaviour& behaviour) {
    return behaviour.longest_period &&
           (!question.begin || !question.end ||
            *question.end - *question.begin > *behaviour.longest_period);
}

Answer answer_impressions(const Request& request, const Account& account,
                          const Behaviour& behaviour, const std::optional<Fault>& fault,
                          mirror::Instant now) {
    Question question = request.question;
    if (fault && fault->question) {
        fault->question(question);
    }
    Selection selection;
    selection.begin = question.begin;
    selection.end = question.end;
    selection.begin_bound = behaviour.begin;
    selection.end_bound = behaviour.end;
    selection.reading = behaviour.reading;
    selection.repeated = behaviour.repeated;
    selection.gap = behaviour.gap;
    selection.order = behaviour.order;
    selection.salt = request.number;
    selection.now = now;

    const std::uint64_t limit = std::min(question.limit, behaviour.max_page);
    const bool edited = fault && fault->page;
    constexpr std::size_t usual_record = 400;
    Page page;
    std::string list;
    list.reserve(std::min<std::uint64_t>(limit, documented_page) * usual_record);
    std::uint64_t rows = 0;
    const std::uint64_t total =
        account.read(selection, question.start, limit, [&](const RowView& row) {
            if (edited) {
                append_record(page.records.emplace_back(), row, behaviour);
            } else {
                if (rows > 0) {
                    list += ',';
                }
                append_record(list, row, behaviour);
            }
            ++rows;
        });

    page.start = question.start;
    switch (behaviour.named_limit) {
        case NamedLimit::in_force:
            page.limit = limit;
            break;
        case NamedLimit::asked:
            page.limit = question.limit;
            break;
        case NamedLimit::documented:
            page.limit = std::min(question.limit, documented_page);
            break;
    }
    page.count = rows;
    if (question.total) {
        page.total = total;
    }
    if (edited) {
        fault->page(page);
        for (const std::string& record : page.records) {
            if (!list.empty()) {
                list += ',';
            }
            list += record;
        }
        rows = page.records.size();
    }

    Answer result;
    result.rows = rows;
    result.total = page.total;
    result.cost = behaviour.skip_cost * std::min(question.start, total);
    if (question.total) {
        result.cost += behaviour.count_cost * total;
    }
    result.reply.body = envelope(page);
    result.reply.body += list;
    result.reply.body += "]}";
    return result;
}

}  // namespace

void understand(Request& request, const Behaviour& behaviour) {
    if (request.path == "/v3/ms/impressions") {
        request.call = Call::impressions;
    } else if (request.path == "/v3/identity") {
        request.call = Call::identity;
    }
    const std::string* token = parameter(request, "access_token");
    request.token_right = token != nullptr && *token == behaviour.token;
    request.question.limit = behaviour.default_page;
    read_time(request, "begintime", request.question.begin);
    read_time(request, "endtime", request.question.end);
    read_number(request, "start", request.question.start);
    read_number(request, "limit", request.question.limit);
    if (const std::string* total = parameter(request, "total")) {
        request.question.total = *total != "false" && *total != "0";
    }
}

Answer answer(const Request& request, const Account& account, const Behaviour& behaviour,
              const std::optional<Fault>& fault, mirror::Instant now) {
    Answer result;
    if (fault && fault->reply) {
        result.reply = *fault->reply;
    } else if (!request.token_right) {
        result = refuse(400, "Invalid access token", behaviour);
    } else if (request.call == Call::other) {
        result = refuse(404, "No such method", behaviour);
    } else if (request.method != "GET") {
        result = refuse(405, "Method not allowed", behaviour);
    } else if (request.call == Call::identity) {
        result.reply.body = identity_body(behaviour.identity, behaviour.encoding);
    } else if (!request.complaint.empty()) {
        result = refuse(400, request.complaint, behaviour);
    } else if (too_long(request.question, behaviour)) {
        result = refuse(400, "The period is too long", behaviour);
    } else {
        result = answer_impressions(request, account, behaviour, fault, now);
    }
    if (fault && fault->body) {
        fault->body(result.reply.body);
    }
    return result;
}

}  // namespace simulator

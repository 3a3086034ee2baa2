#include "tests/simulator/answer.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "tests/simulator/authentication.hpp"
#include "tests/simulator/encode.hpp"
#include "tests/simulator/statistics.hpp"

namespace simulator {
namespace {

constexpr std::uint64_t documented_page = 1000;

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

Answer answer_rows(const Request& request, const Table& table, const Behaviour& behaviour,
                   const std::optional<Fault>& fault, mirror::Instant now) {
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
        table.read(selection, question.start, limit, [&](const RowView& row) {
            if (edited) {
                append_record(page.records.emplace_back(), table.stream(), row, behaviour);
            } else {
                if (rows > 0) {
                    list += ',';
                }
                append_record(list, table.stream(), row, behaviour);
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

Answer answer_right(const Request& request, const Account& account, const Behaviour& behaviour,
                    const std::optional<Fault>& fault, mirror::Instant now) {
    if (const auto stream = stream_of(request.call)) {
        if (too_long(request.question, behaviour)) {
            return refuse(400, "The period is too long", behaviour);
        }
        return answer_rows(request, account.of(*stream), behaviour, fault, now);
    }
    Answer result;
    if (request.call == Call::identity) {
        result.reply.body = identity_body(behaviour.identity, behaviour.encoding);
    } else if (request.call == Call::consumption) {
        result.reply.body = consumption_body(account, request, now);
    } else if (auto body = statistics_body(account, request, behaviour, now)) {
        result.reply.body = std::move(*body);
    } else {
        result = refuse(404, "No such emailing", behaviour);
    }
    return result;
}

}  // namespace

Answer answer(const Request& request, const Account& account, const Behaviour& behaviour,
              const std::optional<Fault>& fault, mirror::Instant now) {
    Answer result;
    if (fault && fault->reply) {
        result.reply = *fault->reply;
    } else if (behaviour.service == Service::authentication) {
        result.reply = authenticate(request, behaviour, now);
    } else if (!request.token_right && request.version == 4 && behaviour.version4.bare_refusals) {
        result.reply.status = 401;
        result.reply.body.clear();
    } else if (!request.token_right) {
        result = refuse(request.version == 4 ? behaviour.version4.refusal : 400,
                        "Invalid access token", behaviour);
    } else if (request.call == Call::other) {
        result = refuse(404, "No such method", behaviour);
    } else if (request.method != "GET") {
        result = refuse(405, "Method not allowed", behaviour);
    } else if (const auto refused = behaviour.refused.find(request.call);
               refused != behaviour.refused.end()) {
        result = refuse(refused->second,
                        refused->second == 404 ? "No such method" : "No access to this method",
                        behaviour);
    } else if (!request.complaint.empty()) {
        result = refuse(400, request.complaint, behaviour);
    } else {
        result = answer_right(request, account, behaviour, fault, now);
    }
    if (fault && fault->body) {
        fault->body(result.reply.body);
    }
    return result;
}

}  // namespace simulator

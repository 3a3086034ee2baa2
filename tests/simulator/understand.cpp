#include <charconv>
#include <string_view>

#include "core/time/text.hpp"
#include "tests/simulator/answer.hpp"

namespace simulator {
namespace {

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

constexpr std::string_view statistics_begin = "emailing/";
constexpr std::string_view statistics_end = "/statistics";

// A call of the kind "ms/...".
void read_mailing_call(Request& request, std::string_view rest) {
    for (const StreamId stream : all_streams) {
        if (rest == facts_of(stream).call) {
            request.call = call_of(stream);
        }
    }
    if (rest.starts_with(statistics_begin) && rest.ends_with(statistics_end)) {
        rest.remove_prefix(statistics_begin.size());
        rest.remove_suffix(statistics_end.size());
        if (const auto mailing = parse_number(rest)) {
            request.call = Call::statistics;
            request.mailing = static_cast<std::int64_t>(*mailing);
        }
    }
}

void read_path(Request& request) {
    std::string_view rest = request.path;
    for (const std::string_view base : {"/v2/", "/v3/"}) {
        if (rest.starts_with(base)) {
            rest.remove_prefix(base.size());
            break;
        }
    }
    constexpr std::string_view mailing_calls = "ms/";
    if (rest == "identity") {
        request.call = Call::identity;
    } else if (rest == "consumption") {
        request.call = Call::consumption;
    } else if (rest.starts_with(mailing_calls)) {
        read_mailing_call(request, rest.substr(mailing_calls.size()));
    }
}

void read_period(Request& request) {
    std::string begin = "begintime";
    std::string end = "endtime";
    if (const auto stream = stream_of(request.call)) {
        begin = facts_of(*stream).begin;
        end = facts_of(*stream).end;
    } else if (request.call == Call::consumption) {
        begin = "begin";
        end = "end";
    }
    read_time(request, begin, request.question.begin);
    read_time(request, end, request.question.end);
}

}  // namespace

void understand(Request& request, const Behaviour& behaviour) {
    read_path(request);
    const std::string* token = parameter(request, "access_token");
    request.token_right = token != nullptr && *token == behaviour.token;
    request.question.limit = behaviour.default_page;
    read_period(request);
    read_number(request, "start", request.question.start);
    read_number(request, "limit", request.question.limit);
    if (const std::string* total = parameter(request, "total")) {
        request.question.total = *total != "false" && *total != "0";
    }
    if (const std::string* unique = parameter(request, "unique"); unique && *unique != "false") {
        request.complaint = "A mirror wants all rows, not unique ones";
    }
}

}  // namespace simulator

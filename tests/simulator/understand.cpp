#include <charconv>
#include <string_view>

#include "core/time/text.hpp"
#include "tests/simulator/access.hpp"
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

// A call of the kind "ms/...", without the first part.
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

// Takes the version off the front of a path; 0: there is none that is served.
int take_version(std::string_view& path, const Behaviour& behaviour) {
    constexpr std::size_t length = 4;  // of "/v3/"
    if (!path.starts_with("/v") || path.size() < length || path[3] != '/') {
        return 0;
    }
    const int version = path[2] - '0';
    path.remove_prefix(length);
    const bool served = version == 4 ? behaviour.version4.served : version == 2 || version == 3;
    return served ? version : 0;
}

// Takes "ms/" or "draganddrop/" off the front of a path.
bool take_mailing_calls(std::string_view& path, int version, const Behaviour& behaviour) {
    const auto take = [&](std::string_view prefix, bool served) {
        if (!served || !path.starts_with(prefix)) {
            return false;
        }
        path.remove_prefix(prefix.size());
        return true;
    };
    const bool is_4 = version == 4;
    return take("ms/", !is_4 || behaviour.version4.ms_paths) ||
           take("draganddrop/", is_4 && behaviour.version4.draganddrop_paths);
}

void read_path(Request& request, const Behaviour& behaviour) {
    if (behaviour.service == Service::authentication) {
        request.call = request.path == "/" ? Call::token : Call::other;
        return;
    }
    std::string_view rest = request.path;
    request.version = take_version(rest, behaviour);
    if (request.version == 0) {
        return;
    }
    if (rest == "identity") {
        request.call = Call::identity;
    } else if (rest == "consumption") {
        request.call = Call::consumption;
    } else if (take_mailing_calls(rest, request.version, behaviour)) {
        read_mailing_call(request, rest);
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
    read_path(request, behaviour);
    check_access(request, behaviour);
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

#include "core/copernica/query.hpp"

#include <algorithm>
#include <utility>

#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>

#include "core/time/text.hpp"

namespace mirror::copernica {
namespace {

constexpr std::string_view token_name = "access_token";

// All but the token. `before` the first one.
void append_parameters(std::string& target, std::string_view query, char before) {
    while (!query.empty()) {
        const std::string_view parameter = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), parameter.size() + 1));
        if (!parameter.empty() && parameter.substr(0, parameter.find('=')) != token_name) {
            target += std::exchange(before, '&');
            target.append(parameter);
        }
    }
}

}  // namespace

std::string percent_encode(std::string_view text) {
    return boost::urls::encode({text.data(), text.size()}, boost::urls::unreserved_chars);
}

std::string page_parameters(const Stream& stream, const PageQuery& query) {
    return std::string(stream.begin) + "=" + percent_encode(format_local(query.begintime)) + "&" +
           std::string(stream.end) + "=" + percent_encode(format_local(query.endtime)) +
           "&start=" + std::to_string(query.start) + "&limit=" + std::to_string(query.limit) +
           "&total=" + (query.total ? "true" : "false");
}

std::string statistics_path(PathFamily family, std::int64_t mailing) {
    return std::string(name_of(family)) + "/emailing/" + std::to_string(mailing) + "/statistics";
}

std::string statistics_parameters(const StatisticsQuery& query) {
    return "begintime=" + percent_encode(format_local(query.begintime)) +
           "&endtime=" + percent_encode(format_local(query.endtime));
}

std::string consumption_query(LocalTime first, LocalTime last) {
    return "begin=" + format_day(first) + "&end=" + format_day(last);
}

std::string target_with_token(std::string_view path, std::string_view query, const Secret& token) {
    std::string target(path);
    target.append("?").append(token_name).append("=").append(percent_encode(token.reveal()));
    append_parameters(target, query, '&');
    return target;
}

std::string target_without_token(std::string_view path, std::string_view query) {
    std::string target(path);
    append_parameters(target, query, '?');
    return target;
}

}  // namespace mirror::copernica

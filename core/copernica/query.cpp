#include "core/copernica/query.hpp"

#include <algorithm>

#include "core/time/text.hpp"

namespace mirror::copernica {
namespace {

constexpr std::string_view token_name = "access_token";

bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

}  // namespace

std::string percent_encode(std::string_view text) {
    constexpr char hex[] = "0123456789ABCDEF";
    std::string result;
    for (const char c : text) {
        if (is_unreserved(c)) {
            result += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            result += '%';
            result += hex[byte >> 4];
            result += hex[byte & 15];
        }
    }
    return result;
}

std::string impressions_query(const PageQuery& query) {
    return "begintime=" + percent_encode(format_local(query.begintime)) +
           "&endtime=" + percent_encode(format_local(query.endtime)) +
           "&start=" + std::to_string(query.start) + "&limit=" + std::to_string(query.limit) +
           "&total=" + (query.total ? "true" : "false");
}

std::string target_with_token(std::string_view path, std::string_view query, const Secret& token) {
    std::string target(path);
    target.append("?").append(token_name).append("=").append(percent_encode(token.reveal()));
    while (!query.empty()) {
        const std::string_view parameter = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), parameter.size() + 1));
        if (!parameter.empty() && parameter.substr(0, parameter.find('=')) != token_name) {
            target.append("&").append(parameter);
        }
    }
    return target;
}

}  // namespace mirror::copernica

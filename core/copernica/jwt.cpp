#include "core/copernica/jwt.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace mirror::copernica {
namespace {

namespace json = boost::json;

// What is shorter is a word, "OK" say.
constexpr std::size_t shortest_token = 16;

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// As RFC 6750 has them: safe in a header.
bool is_token(std::string_view text) {
    constexpr std::string_view others = "-._~+/=";
    return text.size() >= shortest_token && std::all_of(text.begin(), text.end(), [&](char c) {
               return is_letter_or_digit(c) || others.find(c) != std::string_view::npos;
           });
}

std::string_view without_white_ends(std::string_view text) {
    constexpr std::string_view white = " \t\r\n";
    const auto first = text.find_first_not_of(white);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(white) - first + 1);
}

json::value parse(std::string_view text) {
    json::error_code error;
    json::value result = json::parse({text.data(), text.size()}, error);
    return error ? json::value() : result;
}

const json::string* token_member(const json::object& object) {
    constexpr std::array names{"token", "access_token", "jwt"};
    for (const char* const name : names) {
        const json::value* const member = object.if_contains(name);
        if (member != nullptr && member->is_string()) {
            return &member->get_string();
        }
    }
    return nullptr;
}

// -1: it is none of the alphabet.
int base64url_digit(char c) {
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

std::optional<std::string> from_base64url(std::string_view text) {
    std::string bytes;
    std::uint32_t held = 0;
    unsigned bits = 0;
    for (const char c : text) {
        const int digit = base64url_digit(c);
        if (digit < 0) {
            return std::nullopt;
        }
        held = (held << 6U) | static_cast<std::uint32_t>(digit);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes += static_cast<char>((held >> bits) & 0xffU);
        }
    }
    return bytes;
}

std::optional<Instant> instant_of(const json::object& claims, const char* name) {
    const json::value* const claim = claims.if_contains(name);
    if (claim == nullptr || !claim->is_number()) {
        return std::nullopt;
    }
    constexpr double year_10000 = 253'402'300'800;
    const double seconds = std::floor(claim->to_number<double>());
    if (!(seconds >= 0 && seconds < year_10000)) {
        return std::nullopt;
    }
    return Instant(Seconds(static_cast<std::int64_t>(seconds)));
}

}  // namespace

std::optional<std::string> token_in_reply(std::string_view body) {
    const std::string_view text = without_white_ends(body);
    if (is_token(text)) {
        return std::string(text);
    }
    const json::value reply = parse(text);
    const json::string* token = reply.if_string();
    if (const json::object* const object = reply.if_object()) {
        token = token_member(*object);
    }
    if (token == nullptr || !is_token({token->data(), token->size()})) {
        return std::nullopt;
    }
    return std::string(token->data(), token->size());
}

JwtTimes times_of_jwt(std::string_view token) {
    JwtTimes times;
    const auto begin = token.find('.');
    const auto end = token.rfind('.');
    if (begin == std::string_view::npos || end == begin) {
        return times;
    }
    const auto payload = from_base64url(token.substr(begin + 1, end - begin - 1));
    const json::value parsed = payload ? parse(*payload) : json::value();
    if (const json::object* const claims = parsed.if_object()) {
        times.issued = instant_of(*claims, "iat");
        times.expires = instant_of(*claims, "exp");
    }
    return times;
}

}  // namespace mirror::copernica

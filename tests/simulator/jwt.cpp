#include "tests/simulator/jwt.hpp"

#include <array>
#include <cstdint>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace simulator {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string base64url(std::string_view bytes) {
    std::string out;
    std::uint32_t held = 0;
    unsigned bits = 0;
    for (const char byte : bytes) {
        held = (held << 8U) | static_cast<unsigned char>(byte);
        bits += 8;
        while (bits >= 6) {
            bits -= 6;
            out += alphabet[(held >> bits) & 0x3fU];
        }
    }
    if (bits > 0) {
        out += alphabet[(held << (6 - bits)) & 0x3fU];
    }
    return out;
}

std::optional<std::string> from_base64url(std::string_view text) {
    std::string out;
    std::uint32_t held = 0;
    unsigned bits = 0;
    for (const char letter : text) {
        const std::size_t place = alphabet.find(letter);
        if (place == std::string_view::npos) {
            return std::nullopt;
        }
        held = (held << 6U) | static_cast<std::uint32_t>(place);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out += static_cast<char>((held >> bits) & 0xffU);
        }
    }
    return out;
}

std::string signature(std::string_view text, const std::string& secret) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &length);
    return base64url({reinterpret_cast<const char*>(digest.data()), length});
}

std::int64_t seconds(mirror::Instant at) {
    return at.time_since_epoch().count();
}

}  // namespace

std::string make_jwt(const Jwt& jwt, std::string_view account, mirror::Instant now) {
    const mirror::Instant issued = now + jwt.ahead;
    const mirror::Instant ends = issued + jwt.life;
    std::string claims =
        R"({"sub":")" + std::string(account) + R"(","iat":)" + std::to_string(seconds(issued));
    switch (jwt.expiry) {
        case Jwt::Expiry::right:
            claims += ",\"exp\":" + std::to_string(seconds(ends));
            break;
        case Jwt::Expiry::absent:
            break;
        case Jwt::Expiry::past:
            claims += ",\"exp\":" + std::to_string(seconds(now - std::chrono::hours(1)));
            break;
    }
    // By this the API judges it.
    claims += ",\"until\":" + std::to_string(seconds(ends)) + ",\"pad\":\"";
    const std::size_t wanted = jwt.bytes * 3 / 4 + 1;  // base64 makes four bytes of three
    claims += std::string(wanted > claims.size() ? wanted - claims.size() : 0, 'p') + "\"}";
    const std::string text = base64url(R"({"typ":"JWT","alg":"HS256"})") + "." + base64url(claims);
    return text + "." + signature(text, jwt.secret);
}

JwtState check_jwt(std::string_view token, const Jwt& jwt, mirror::Instant now) {
    const std::size_t first = token.find('.');
    const std::size_t last = token.rfind('.');
    if (first == std::string_view::npos || first == last) {
        return JwtState::none;
    }
    if (token.substr(last + 1) != signature(token.substr(0, last), jwt.secret)) {
        return JwtState::wrong_signature;
    }
    const auto claims = from_base64url(token.substr(first + 1, last - first - 1));
    if (!claims) {
        return JwtState::none;
    }
    const boost::json::value value = boost::json::parse(*claims);
    const boost::json::value* expiry = value.as_object().if_contains("exp");
    if (expiry == nullptr) {
        expiry = &value.at("until");
    }
    return expiry->to_number<std::int64_t>() > seconds(now) ? JwtState::good : JwtState::expired;
}

}  // namespace simulator

#include "tests/simulator/access.hpp"

#include "tests/simulator/jwt.hpp"

namespace simulator {
namespace {

bool is_right_in_version_4(const std::string& token, const Behaviour& behaviour,
                           mirror::Instant now) {
    if (token == behaviour.token) {
        return behaviour.version4.takes_api_token;
    }
    return behaviour.version4.takes_jwt &&
           check_jwt(token, behaviour.authentication.jwt, now) == JwtState::good;
}

}  // namespace

std::optional<std::string> bearer_of(const Request& request) {
    constexpr std::string_view scheme = "Bearer ";
    const auto header = request.headers.find("authorization");
    if (header == request.headers.end() || !header->second.starts_with(scheme)) {
        return std::nullopt;
    }
    return header->second.substr(scheme.size());
}

void check_access(Request& request, const Behaviour& behaviour) {
    const auto in_query = request.parameters.find("access_token");
    const bool is_in_query = in_query != request.parameters.end();
    if (behaviour.service == Service::authentication) {
        const auto field = request.form.find("access_token");
        request.leaked = is_in_query;
        request.token_right =
            !is_in_query && field != request.form.end() && field->second == behaviour.token;
        return;
    }
    constexpr int newest = 4;
    if (request.version < newest) {
        request.token_right =
            behaviour.version3 && is_in_query && in_query->second == behaviour.token;
        return;
    }
    const auto bearer = bearer_of(request);
    request.leaked = is_in_query;
    request.token_right =
        !is_in_query && bearer && is_right_in_version_4(*bearer, behaviour, request.received_at);
}

}  // namespace simulator

#include "tests/simulator/authentication.hpp"

#include "tests/simulator/encode.hpp"
#include "tests/simulator/jwt.hpp"

namespace simulator {
namespace {

std::string body_of(TokenForm form, const std::string& token) {
    switch (form) {
        case TokenForm::bare:
            return token;
        case TokenForm::json_string:
            return "\"" + token + "\"";
        case TokenForm::token:
            return "{\"token\":\"" + token + "\"}";
        case TokenForm::access_token:
            return R"({"access_token":")" + token + R"(","token_type":"bearer"})";
        case TokenForm::jwt:
            return "{\"jwt\":\"" + token + "\"}";
    }
    return {};
}

}  // namespace

Reply authenticate(const Request& request, const Behaviour& behaviour, mirror::Instant now) {
    Reply reply;
    if (request.call != Call::token) {
        reply.status = 404;
        reply.body = error_body("No such method", behaviour.encoding);
    } else if (request.method != "POST") {
        reply.status = 405;
        reply.body = error_body("Method not allowed", behaviour.encoding);
    } else if (!request.token_right) {
        reply.status = 400;
        reply.body = error_body("Invalid access token", behaviour.encoding);
    } else {
        const Authentication& service = behaviour.authentication;
        reply.body = body_of(service.form, make_jwt(service.jwt, behaviour.identity.id, now));
        if (service.form == TokenForm::bare) {
            reply.content_type = "text/plain";
        }
    }
    return reply;
}

}  // namespace simulator

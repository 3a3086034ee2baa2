#include "tests/simulator/access.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "tests/simulator/jwt.hpp"
#include "tests/simulator/server.hpp"
#include "tests/support/raw_client.hpp"

using namespace simulator;
using mirror::Instant;
using mirror::Seconds;
using mirror::test::RawClient;
using mirror::test::RawReply;

namespace {

const Instant noon = Instant(mirror::parse_local("2026-01-10 12:00:00").value().time_since_epoch());

std::string bearer(const std::string& token) {
    return "Authorization: Bearer " + token + "\r\n";
}

RawReply ask(const Server& server, const std::string& path, const std::string& headers = "") {
    RawClient client(server.port());
    return client.get(path, headers);
}

RawReply post(const Server& server, const std::string& body,
              const std::string& type = "application/x-www-form-urlencoded",
              const std::string& target = "/") {
    RawClient client(server.port());
    client.send("POST " + target + " HTTP/1.1\r\nHost: here\r\nContent-Type: " + type +
                "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.receive();
}

Behaviour service_of(Behaviour behaviour = {}) {
    behaviour.service = Service::authentication;
    return behaviour;
}

}  // namespace

TEST_CASE("simulator: version 4 takes the token in the header, and none in the URL") {
    Account account;
    Server server(account);
    server.clock().stand_at(noon);
    const std::string right = bearer("simulated-token");
    CHECK(server.url("127.0.0.1", "/v4").ends_with("/v4"));
    CHECK(ask(server, "/v4/identity", right).status() == 200);
    CHECK(ask(server, "/v4/ms/clicks", right).status() == 200);
    CHECK(ask(server, "/v4/draganddrop/clicks", right).status() == 200);
    CHECK(ask(server, "/v4/draganddrop/emailings", right).status() == 200);
    CHECK(ask(server, "/v4/identity").status() == 401);
    CHECK(ask(server, "/v4/identity", bearer("wrong")).status() == 401);
    CHECK(ask(server, "/v4/identity", "Authorization: Basic simulated-token\r\n").status() == 401);
    CHECK(server.counters().leaked_tokens == 0);
    CHECK(server.counters().requests_with_token == 6);

    const std::string leak = "?access_token=simulated-token";
    CHECK(ask(server, "/v4/identity" + leak).status() == 401);
    CHECK(ask(server, "/v4/identity" + leak, right).status() == 401);
    CHECK(server.counters().leaked_tokens == 2);
    CHECK(server.log().back().request.leaked);
    CHECK(ask(server, "/v3/identity" + leak).status() == 200);
    CHECK(ask(server, "/v3/identity", right).status() == 400);
    CHECK(ask(server, "/v3/draganddrop/clicks" + leak).status() == 404);
    CHECK(server.counters().leaked_tokens == 2);
}

TEST_CASE("simulator: paths, versions and tokens are there as wanted") {
    Account account;
    Server server(account);
    const std::string right = bearer("simulated-token");
    const auto statuses = [&] {
        return std::vector<int>{
            ask(server, "/v3/ms/clicks?access_token=simulated-token").status(),
            ask(server, "/v4/ms/clicks", right).status(),
            ask(server, "/v4/draganddrop/clicks", right).status(),
            ask(server, "/v4/identity", right).status(),
        };
    };
    CHECK(statuses() == std::vector<int>{200, 200, 200, 200});
    server.change([](Behaviour& behaviour) { behaviour.version4.ms_paths = false; });
    CHECK(statuses() == std::vector<int>{200, 404, 200, 200});
    server.change([](Behaviour& behaviour) {
        behaviour.version4.ms_paths = true;
        behaviour.version4.draganddrop_paths = false;
    });
    CHECK(statuses() == std::vector<int>{200, 200, 404, 200});
    server.change([](Behaviour& behaviour) { behaviour.version4.takes_api_token = false; });
    CHECK(statuses() == std::vector<int>{200, 401, 401, 401});
    server.change([](Behaviour& behaviour) { behaviour.version3 = false; });
    CHECK(statuses().front() == 400);
    server.change([](Behaviour& behaviour) { behaviour.version4.refusal = 400; });
    CHECK(statuses() == std::vector<int>{400, 400, 400, 400});
}

TEST_CASE("simulator: a JWT is good for its life, by the clock of whom it is shown to") {
    const Jwt usual;
    const std::string token = make_jwt(usual, "34", noon);
    const auto later = [&](Seconds by) { return check_jwt(token, usual, noon + by); };
    CHECK(later(Seconds(0)) == JwtState::good);
    CHECK(later(std::chrono::hours(24) - Seconds(1)) == JwtState::good);
    CHECK(later(std::chrono::hours(24)) == JwtState::expired);
    CHECK(check_jwt(token + "x", usual, noon) == JwtState::wrong_signature);
    CHECK(check_jwt("no token", usual, noon) == JwtState::none);
    Jwt other;
    other.secret = "another";
    CHECK(check_jwt(token, other, noon) == JwtState::wrong_signature);

    Jwt absent;
    absent.expiry = Jwt::Expiry::absent;
    absent.life = Seconds(60);
    const std::string without = make_jwt(absent, "34", noon);
    CHECK(check_jwt(without, absent, noon + Seconds(59)) == JwtState::good);
    CHECK(check_jwt(without, absent, noon + Seconds(60)) == JwtState::expired);
    Jwt past;
    past.expiry = Jwt::Expiry::past;
    CHECK(check_jwt(make_jwt(past, "34", noon), past, noon) == JwtState::expired);
    Jwt ahead;
    ahead.ahead = std::chrono::hours(1);
    CHECK(check_jwt(make_jwt(ahead, "34", noon), ahead, noon + std::chrono::hours(24)) ==
          JwtState::good);
    Jwt large;
    large.bytes = 64 * 1024;
    const std::string long_token = make_jwt(large, "34", noon);
    CHECK(long_token.size() >= 64 * 1024);
    CHECK(long_token.size() < 65 * 1024);
    CHECK(check_jwt(long_token, large, noon) == JwtState::good);
}

TEST_CASE("simulator: the authentication service makes a JWT that version 4 takes until it ends") {
    Account account;
    Behaviour behaviour;
    behaviour.version4.takes_api_token = false;
    behaviour.authentication.jwt.bytes = 32 * 1024;
    Server api(account, behaviour);
    api.clock().stand_at(noon);
    Server service(account, service_of(behaviour));
    service.clock().stand_at(noon);

    const RawReply reply = post(service, "access_token=simulated-token");
    CHECK(reply.status() == 200);
    CHECK(reply.header("Content-Type") == "text/plain");
    CHECK(service.log().back().request.call == Call::token);
    CHECK(ask(api, "/v4/identity", bearer(reply.body)).status() == 200);
    api.clock().advance(std::chrono::hours(24));
    CHECK(ask(api, "/v4/identity", bearer(reply.body)).status() == 401);
    const RawReply renewed = post(service, "access_token=simulated-token");
    CHECK(ask(api, "/v3/identity?access_token=" + reply.body).status() == 400);
    CHECK(renewed.body == reply.body);  // the service's clock stands

    const std::string too_long(64 * 1024, 't');
    CHECK(ask(api, "/v4/identity", bearer(too_long)).status() == 400);

    CHECK(post(service, "access_token=wrong").status() == 400);
    CHECK(post(service, "token=simulated-token").status() == 400);
    CHECK(post(service, R"({"access_token":"simulated-token"})", "application/json").status() ==
          400);
    CHECK(ask(service, "/").status() == 405);
    CHECK(ask(service, "/v3/identity?access_token=simulated-token").status() == 404);
    CHECK(service.counters().leaked_tokens == 1);
    CHECK(post(service, "", "application/x-www-form-urlencoded", "/?access_token=simulated-token")
              .status() == 400);
    CHECK(service.counters().leaked_tokens == 2);
    CHECK(post(api, "access_token=simulated-token").status() != 200);
}

TEST_CASE("simulator: forms and faults of the authentication service") {
    Account account;
    Server service(account, service_of());
    service.clock().stand_at(noon);
    const auto body = [&](TokenForm form) {
        service.change([&](Behaviour& behaviour) { behaviour.authentication.form = form; });
        return post(service, "access_token=simulated-token").body;
    };
    const std::string jwt = body(TokenForm::bare);
    CHECK(jwt == make_jwt({}, "34", noon));
    CHECK(body(TokenForm::json_string) == "\"" + jwt + "\"");
    CHECK(body(TokenForm::token) == "{\"token\":\"" + jwt + "\"}");
    CHECK(body(TokenForm::access_token) ==
          "{\"access_token\":\"" + jwt + "\",\"token_type\":\"bearer\"}");
    CHECK(body(TokenForm::jwt) == "{\"jwt\":\"" + jwt + "\"}");

    service.set_rule(rules::call(Call::token, faults::gateway(503)));
    CHECK(post(service, "access_token=simulated-token").status() == 503);
    service.set_rule(rules::call(Call::token, faults::status(200, "[]", "application/json")));
    CHECK(post(service, "access_token=simulated-token").body == "[]");
}

TEST_CASE("simulator: 401 at random, for every call but that for a token") {
    const Rule rule = rules::unauthorized_at_random(0.5, 1);
    int refused = 0;
    for (int i = 0; i < 100; ++i) {
        Request request;
        request.call = i % 2 == 0 ? Call::identity : Call::clicks;
        if (const auto fault = rule(request)) {
            CHECK(fault->reply.value().status == 401);
            ++refused;
        }
    }
    CHECK(refused > 20);
    CHECK(refused < 80);
    Request token;
    token.call = Call::token;
    CHECK_FALSE(rules::unauthorized_at_random(1, 1)(token).has_value());
}

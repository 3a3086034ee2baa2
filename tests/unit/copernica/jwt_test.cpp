#include "core/copernica/jwt.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "tests/simulator/jwt.hpp"

using namespace mirror;
using namespace mirror::copernica;

namespace {

const std::string jwt = "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3MDAwMDAwMDB9.c2lnbmF0dXJl";

}  // namespace

TEST_CASE("jwt: the token in a reply of the service, in each form") {
    for (const std::string& body :
         {jwt, jwt + "\n", "  " + jwt + "\r\n", "\"" + jwt + "\"", "{\"token\":\"" + jwt + "\"}",
          R"({"access_token":")" + jwt + R"(","expires_in":86400})", " {\"jwt\":\"" + jwt + "\"} ",
          R"({"token":null,"jwt":")" + jwt + "\"}", "\"" + std::string(60'000, 'x') + "\""}) {
        CAPTURE(body.substr(0, 100));
        REQUIRE(token_in_reply(body).has_value());
    }
    CHECK(token_in_reply("\"" + jwt + "\"") == jwt);
    CHECK(token_in_reply("{\"access_token\":\"" + jwt + "\"}") == jwt);
    CHECK(token_in_reply("an opaque one") == std::nullopt);
    CHECK(token_in_reply("an-opaque-one-of-many-letters") == "an-opaque-one-of-many-letters");
}

TEST_CASE("jwt: what holds no token") {
    for (const std::string& body : {std::string(),
                                    std::string("  \n"),
                                    std::string("OK"),
                                    std::string("null"),
                                    std::string("true"),
                                    std::string("{}"),
                                    std::string("[]"),
                                    std::string("\"\""),
                                    std::string("<html><body>busy</body></html>"),
                                    "[\"" + jwt + "\"]",
                                    "{\"hello\":\"" + jwt + "\"}",
                                    "{\"token\":{\"jwt\":\"" + jwt + "\"}}",
                                    std::string(R"({"token":12345678901234567890})"),
                                    "Bearer " + jwt,
                                    jwt + "\n" + jwt,
                                    "\"" + jwt + "\\r\\nX: y\"",
                                    "\"" + jwt + "\" x",
                                    "{\"token\":\"" + jwt,
                                    "{\"token\":\"" + jwt + " \"}",
                                    jwt + '\0',
                                    std::string("caf\xc3\xa9") + jwt}) {
        CAPTURE(body.substr(0, 100));
        CHECK(token_in_reply(body) == std::nullopt);
    }
}

TEST_CASE("jwt: when it was made and when it expires") {
    const Instant now = Instant(parse_local("2026-01-10 12:00:00").value().time_since_epoch());
    simulator::Jwt made;
    JwtTimes times = times_of_jwt(simulator::make_jwt(made, "34", now));
    CHECK(times.issued == now);
    CHECK(times.expires == now + std::chrono::hours(24));
    made.expiry = simulator::Jwt::Expiry::absent;
    times = times_of_jwt(simulator::make_jwt(made, "34", now));
    CHECK(times.issued == now);
    CHECK(times.expires == std::nullopt);
    made.expiry = simulator::Jwt::Expiry::past;
    made.bytes = 64'000;
    times = times_of_jwt(simulator::make_jwt(made, "34", now));
    CHECK(times.expires == now - std::chrono::hours(1));
}

TEST_CASE("jwt: claims that are none are not there") {
    // The payloads: {"exp":"1700000000"}, {"exp":-1}, {"exp":1e300}, {"exp":1.5}, [1], not JSON.
    struct {
        std::string payload;
        std::optional<Instant> expires;
    } const rows[] = {
        {"eyJleHAiOiIxNzAwMDAwMDAwIn0", std::nullopt},
        {"eyJleHAiOi0xfQ", std::nullopt},
        {"eyJleHAiOjFlMzAwfQ", std::nullopt},
        {"eyJleHAiOjEuNX0", Instant(Seconds(1))},
        {"WzFd", std::nullopt},
        {"AAAA", std::nullopt},
        {"%%%%", std::nullopt},
        {"", std::nullopt},
    };
    for (const auto& row : rows) {
        CAPTURE(row.payload);
        CHECK(times_of_jwt("x." + row.payload + ".y").expires == row.expires);
    }
    for (const char* const text : {"", ".", "..", "x", "x.eyJleHAiOjEuNX0"}) {
        CAPTURE(text);
        CHECK(times_of_jwt(text).expires == std::nullopt);
    }
}

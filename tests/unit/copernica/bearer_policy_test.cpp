#include "core/copernica/bearer_policy.hpp"

#include <optional>
#include <string>

#include <doctest/doctest.h>

using namespace mirror;
using namespace mirror::copernica;
using namespace std::chrono_literals;

TEST_CASE("bearer: which replies refuse the token") {
    const std::optional<std::string> none;
    const std::optional<std::string> about_token = "Invalid access Token";
    const std::optional<std::string> other = "The period is too long";
    struct {
        int status;
        std::optional<std::string> message;
        bool is_identity;
        std::optional<Refusal> refusal;
    } const rows[] = {
        {401, other, false, Refusal::own_form},
        {401, none, false, Refusal::bare},
        {401, none, true, Refusal::bare},
        {403, other, false, {}},
        {403, other, true, Refusal::own_form},
        {403, none, true, {}},
        {400, other, false, {}},
        {400, about_token, false, Refusal::own_form},
        {400, other, true, Refusal::own_form},
        {400, none, true, {}},
        {404, about_token, true, {}},
        {500, about_token, true, {}},
        {200, about_token, true, {}},
    };
    for (const auto& row : rows) {
        CAPTURE(row.status);
        CAPTURE(row.message.value_or("none"));
        CAPTURE(row.is_identity);
        CHECK(refusal_of(row.status, row.message, row.is_identity) == row.refusal);
    }
}

TEST_CASE("bearer: how long a JWT is good, by whichever clock says less") {
    const Instant at{Seconds(1'700'000'000)};
    struct {
        std::optional<Instant> issued;
        std::optional<Instant> expires;
        std::optional<Instant> service;
        std::optional<Instant> api;
        Instant machine;
        std::optional<Seconds> left;
    } const rows[] = {
        {at, {}, at, at, at, {}},
        {at, at + 24h, at, at, at, 24h},
        // The machine's clock does not count while there is another.
        {at, at + 24h, at, at, at + 5h, 24h},
        {at, at + 24h, {}, {}, at + 5h, 24h},
        {{}, at + 24h, {}, {}, at + 5h, 19h},
        // The service's clock is ahead, or behind.
        {at + 1h, at + 25h, at + 1h, at, at, 24h},
        {at - 1h, at + 23h, at - 1h, at, at, 23h},
        {at - 1h, at + 23h, {}, at, at, 23h},
        {at, at - 1h, at, at, at, -1h},
        {at, Instant(Seconds(0)), at, at, at, -at.time_since_epoch()},
    };
    for (const auto& row : rows) {
        ClocksAtReceipt clocks;
        clocks.service = row.service;
        clocks.api = row.api;
        clocks.machine = row.machine;
        JwtTimes times;
        times.issued = row.issued;
        times.expires = row.expires;
        CHECK(life_left(times, clocks) == row.left);
    }
}

TEST_CASE("bearer: when another JWT is due") {
    struct {
        std::optional<Seconds> left;
        std::chrono::nanoseconds age;
        Freshness state;
    } const rows[] = {
        {Seconds(24h), 0s, Freshness::fresh},
        {Seconds(24h), 17h, Freshness::fresh},
        {Seconds(24h), 18h, Freshness::due},
        {Seconds(24h), 24h - 1ns, Freshness::due},
        {Seconds(24h), 24h, Freshness::expired},
        {Seconds(4), 2s, Freshness::fresh},
        {Seconds(4), 3s, Freshness::due},
        {Seconds(4), 4s, Freshness::expired},
        {Seconds(1), 0s, Freshness::fresh},
        // The year 9999, 3000, and what three centuries are in nanoseconds.
        {Seconds(251'637'800'799), 24h * 365, Freshness::fresh},
        {Seconds(30'000'000'000), 24h * 365, Freshness::fresh},
        {Seconds::max(), 24h * 365, Freshness::fresh},
        {Seconds(1), 1s, Freshness::expired},
        // It says nothing, or what cannot be: it is sent until it is refused.
        {std::nullopt, 0s, Freshness::fresh},
        {std::nullopt, 18h, Freshness::due},
        {std::nullopt, 1000h, Freshness::due},
        {Seconds(0), 0s, Freshness::fresh},
        {Seconds(-1h), 0s, Freshness::fresh},
        {Seconds(-1h), 1000h, Freshness::due},
    };
    for (const auto& row : rows) {
        CAPTURE(row.left.value_or(Seconds(-999)).count());
        CAPTURE(row.age.count());
        CHECK(freshness(row.left, row.age) == row.state);
    }
}

TEST_CASE("bearer: what follows a refusal") {
    constexpr auto api = TokenForm::api_token;
    constexpr auto jwt = TokenForm::jwt;
    struct {
        TokenForm form;
        std::optional<TokenForm> proven;
        bool replaced;
        bool just_made;
        bool is_identity;
        AfterRefusal next;
    } const rows[] = {
        {api, {}, false, false, true, AfterRefusal::exchange},
        {api, {}, false, false, false, AfterRefusal::exchange},
        {api, jwt, false, false, false, AfterRefusal::exchange},
        {api, {}, true, false, false, AfterRefusal::send_current},
        // It was good a moment ago: identity decides.
        {api, api, false, false, false, AfterRefusal::give_up},
        {api, api, false, false, true, AfterRefusal::exchange},
        {api, api, true, false, false, AfterRefusal::send_current},
        {jwt, jwt, false, false, false, AfterRefusal::exchange},
        {jwt, {}, false, false, true, AfterRefusal::exchange},
        {jwt, jwt, true, false, false, AfterRefusal::send_current},
        {jwt, jwt, true, true, false, AfterRefusal::send_current},
        {jwt, jwt, false, true, false, AfterRefusal::give_up},
        {jwt, {}, false, true, true, AfterRefusal::give_up},
    };
    for (const auto& row : rows) {
        RefusedToken token;
        token.form = row.form;
        token.proven = row.proven;
        token.replaced = row.replaced;
        token.just_made = row.just_made;
        token.is_identity = row.is_identity;
        CHECK(after_refusal(token) == row.next);
    }
}

TEST_CASE("bearer: a 401 that says nothing may mean the token, now and then") {
    RefusedToken token;
    token.bare = true;
    CHECK(after_refusal(token) == AfterRefusal::exchange);
    token.is_identity = true;
    CHECK(after_refusal(token) == AfterRefusal::exchange);
    token.proven = TokenForm::api_token;  // it was good: a gateway is in the way
    CHECK(after_refusal(token) == AfterRefusal::give_up);
    token.form = TokenForm::jwt;
    token.proven = TokenForm::jwt;
    CHECK(after_refusal(token) == AfterRefusal::exchange);
    token.bare_lately = true;
    CHECK(after_refusal(token) == AfterRefusal::give_up);
    token.replaced = true;
    CHECK(after_refusal(token) == AfterRefusal::send_current);
}

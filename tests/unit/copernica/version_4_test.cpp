// HttpApi and version 4: which token it sends, when it gets another one, and where it puts it.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include "core/copernica/http_api.hpp"
#include "core/time/text.hpp"
#include "tests/simulator/server.hpp"
#include "tests/support/times.hpp"
#include "tests/unit/sync/fake_clock.hpp"
#include "tests/unit/sync/run_coroutine.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace std::chrono_literals;
namespace faults = simulator::faults;
namespace rules = simulator::rules;
namespace asio = boost::asio;

namespace {

const Instant noon = Instant(parse_local("2026-01-10 12:00:00").value().time_since_epoch());

struct Log final : RequestObserver {
    void info(const std::string& line) override { lines.push_back(line); }
    void warning(const std::string& line) override { lines.push_back(line); }
    std::vector<std::string> lines;
};

// The API, the token service, and a client whose clock is its own.
struct World {
    explicit World(const simulator::Behaviour& its_behaviour = {})
        : api_server(account, its_behaviour), service(account, of_service(its_behaviour)) {
        api_server.clock().stand_at(noon);
        service.clock().follow([this] { return api_server.clock().now(); });
        HttpOptions options(http::parse_base_url(api_server.url("127.0.0.1", "/v4")),
                            Secret("simulated-token"));
        options.auth_url = http::parse_base_url(service.url("127.0.0.1", "/"));
        options.clock = &clock;
        // A service that answers takes no time on this clock.
        clock.busy = [this] { return exchanges() < hangs_from; };
        options.observer = &log;
        api = std::make_unique<HttpApi>(std::move(options));
    }
    ~World() {
        api->close();
        loop.restart();
        loop.run();
    }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    static simulator::Behaviour of_service(simulator::Behaviour behaviour) {
        behaviour.service = simulator::Service::authentication;
        return behaviour;
    }

    // Why it failed; empty if it did not.
    std::string ask_identity() { return ask(api->identity(gate)); }
    std::string ask_page() {
        PageQuery query;
        query.begintime = tests::local("2026-01-01 00:00:00");
        query.endtime = tests::local("2026-01-02 00:00:00");
        return ask(api->page(streams().front(), query, gate));
    }
    template <typename Result>
    std::string ask(asio::awaitable<Result> call) {
        std::string why;
        bool ended = false;
        asio::co_spawn(loop, std::move(call), [&](const std::exception_ptr& error, const Result&) {
            ended = true;
            try {
                if (error) {
                    std::rethrow_exception(error);
                }
            } catch (const ApiError& failed) {
                kind = failed.kind();
                why = failed.what();
            }
        });
        loop.restart();
        while (!ended) {
            loop.run_one();
        }
        return why;
    }
    void pass(Seconds time) {
        clock.advance(time);
        api_server.clock().advance(time);
    }
    std::uint64_t exchanges() const { return service.counters().requests; }
    std::uint64_t asked() const { return api_server.counters().requests; }

    simulator::Account account;
    simulator::Server api_server;
    simulator::Server service;
    tests::FakeClock clock{noon};
    Log log;
    OpenGate gate;
    asio::io_context loop;
    std::unique_ptr<HttpApi> api;
    ErrorKind kind{};
    std::uint64_t hangs_from = 1'000'000;  ///< the request from which on the service hangs
};

simulator::Behaviour jwt_only() {
    simulator::Behaviour behaviour;
    behaviour.version4.takes_api_token = false;
    return behaviour;
}

}  // namespace

TEST_CASE("version 4: the account's token is enough where it is taken") {
    World world;
    CHECK(world.ask_identity() == "");
    CHECK(world.ask_page() == "");
    CHECK(world.exchanges() == 0);
    CHECK(world.asked() == 2);
    for (const simulator::LogEntry& entry : world.api_server.log()) {
        CHECK_FALSE(entry.request.leaked);
    }
}

TEST_CASE("version 4: a JWT where the account's token is refused, and it is remembered") {
    for (const unsigned refusal : {401U, 400U}) {
        for (const auto form : {simulator::TokenForm::bare, simulator::TokenForm::json_string,
                                simulator::TokenForm::token, simulator::TokenForm::access_token,
                                simulator::TokenForm::jwt}) {
            simulator::Behaviour behaviour = jwt_only();
            behaviour.version4.refusal = refusal;
            behaviour.authentication.form = form;
            World world(behaviour);
            CHECK(world.ask_page() == "");
            CHECK(world.ask_identity() == "");
            CHECK(world.exchanges() == 1);
            CHECK(world.asked() == 3);
            CHECK(world.api->requests() == 4);
            REQUIRE(world.log.lines.size() == 1);
            CHECK(world.log.lines[0] ==
                  "the API takes tokens that the token service makes, not the account's own");
        }
    }
}

TEST_CASE("version 4: a JWT is renewed well before it expires, and at once after a refusal") {
    World world(jwt_only());
    CHECK(world.ask_page() == "");
    world.pass(17h);
    CHECK(world.ask_page() == "");
    CHECK(world.exchanges() == 1);
    world.pass(2h);
    CHECK(world.ask_page() == "");
    CHECK(world.exchanges() == 2);
    // All tokens made before are refused from now on.
    for (simulator::Server* const server : {&world.api_server, &world.service}) {
        server->change([](simulator::Behaviour& behaviour) {
            behaviour.authentication.jwt.secret = "another secret";
        });
    }
    CHECK(world.ask_page() == "");
    CHECK(world.exchanges() == 3);
    // The machine was asleep: only the server's clock has moved.
    world.api_server.clock().advance(30h);
    CHECK(world.ask_page() == "");
    CHECK(world.exchanges() == 4);
}

TEST_CASE("version 4: while the service is down, a JWT that is still good is used") {
    World world(jwt_only());
    CHECK(world.ask_page() == "");
    world.service.set_rule(rules::call(simulator::Call::token, faults::gateway(503)));
    world.pass(19h);
    CHECK(world.ask_page() == "");
    CHECK(world.exchanges() == 2);
    // Not asked again at once.
    CHECK(world.ask_page() == "");
    CHECK(world.exchanges() == 2);
    world.pass(6min);
    CHECK(world.ask_page() == "");
    CHECK(world.exchanges() == 3);
    world.pass(5h);
    const std::string why = world.ask_page();
    CHECK(why.starts_with("the token service does not answer (http://127.0.0.1:"));
    CHECK(why.ends_with("HTTP status 503"));
    CHECK(world.kind == ErrorKind::try_again);
    world.service.set_rule({});
    CHECK(world.ask_page() == "");
}

TEST_CASE("version 4: a service that hangs holds up a call for seconds while a JWT is good") {
    World world(jwt_only());
    CHECK(world.ask_page() == "");
    world.service.set_rule(
        rules::call(simulator::Call::token, faults::delivery(simulator::Delivery::hang)));
    world.hangs_from = 2;
    world.pass(19h);
    const auto passed = [&world, since = world.clock.monotonic()] {
        return world.clock.monotonic() - since;
    };
    CHECK(world.ask_page() == "");
    CHECK(world.exchanges() == 2);
    CHECK(passed() == 3s);
    CHECK(world.log.lines.back().starts_with("the token service does not answer (http"));
    CHECK(world.log.lines.back().ends_with(
        "no reply within 3 s; the token at hand is still good, trying again in five minutes"));
    // Not asked again at once.
    CHECK(world.ask_page() == "");
    CHECK(world.exchanges() == 2);
    CHECK(passed() == 3s);
    // As soon as the service answers again, the token is renewed.
    world.service.set_rule({});
    world.hangs_from = 1'000'000;
    world.pass(6min);
    CHECK(world.ask_page() == "");
    CHECK(world.exchanges() == 3);
    CHECK(passed() == 3s + 6min);
}

TEST_CASE("version 4: one exchange for all calls, and one failure") {
    for (const bool down : {false, true}) {
        CAPTURE(down);
        World world(jwt_only());
        if (down) {
            world.service.set_rule(rules::call(simulator::Call::token, faults::gateway(503)));
        }
        int ended = 0;
        int failed = 0;
        for (int i = 0; i < 4; ++i) {
            asio::co_spawn(world.loop, world.api->identity(world.gate),
                           [&](const std::exception_ptr& error, const Identity&) {
                               ++ended;
                               failed += error ? 1 : 0;
                           });
        }
        while (ended < 4) {
            world.loop.run_one();
        }
        CHECK(failed == (down ? 4 : 0));
        if (down) {
            // A call that the API refuses only after the attempt has failed makes another one.
            CHECK(world.exchanges() >= 1);
            CHECK(world.exchanges() <= 4);
        } else {
            CHECK(world.exchanges() == 1);
        }
    }
}

TEST_CASE("version 4: what the service says wrong is told as the service's, without its text") {
    struct {
        simulator::Fault fault;
        ErrorKind kind;
        const char* why;
    } const rows[] = {
        {faults::html_as_ok(), ErrorKind::invalid_response,
         "the token service cannot be used (http"},
        {faults::status(200, R"({"hello":"CANARY-CANARY-CANARY"})", "application/json"),
         ErrorKind::invalid_response, "its reply holds no token"},
        {faults::status(200, ""), ErrorKind::invalid_response, "its reply holds no token"},
        {faults::status(200, std::string(70'000, 'x')), ErrorKind::invalid_response, "too large"},
        {faults::status(404, "CANARY"), ErrorKind::try_again, "HTTP status 404"},
        {faults::error(404, "No such method"), ErrorKind::unusable, "is [api] auth_url right?"},
        {faults::error(400, "Invalid access token"), ErrorKind::token_refused,
         "the token service refuses the token (http"},
        {faults::redirect("https://elsewhere.invalid/CANARY"), ErrorKind::unusable,
         "redirects, which is not followed"},
        {faults::delivery(simulator::Delivery::close_before), ErrorKind::try_again,
         "the token service does not answer (http"},
        {faults::delivery(simulator::Delivery::close_in_body), ErrorKind::try_again,
         "the token service does not answer (http"},
    };
    for (const auto& row : rows) {
        World world(jwt_only());
        world.service.set_rule(rules::call(simulator::Call::token, row.fault));
        const std::string why = world.ask_identity();
        CAPTURE(why);
        CHECK(world.kind == row.kind);
        CHECK(why.find(row.why) != std::string::npos);
        CHECK(why.find("CANARY") == std::string::npos);
        CHECK(why.find("simulated-token") == std::string::npos);
    }
    World world(jwt_only());
    world.service.stop_listening();
    CHECK(world.ask_identity().find("not connected") != std::string::npos);
}

TEST_CASE("version 4: a JWT without exp, with one in the past, and one of 64 KB") {
    simulator::Behaviour behaviour = jwt_only();
    behaviour.authentication.jwt.expiry = simulator::Jwt::Expiry::absent;
    behaviour.authentication.jwt.bytes = 60'000;
    {
        World world(behaviour);
        CHECK(world.ask_page() == "");
        world.pass(30h);
        CHECK(world.ask_page() == "");
        CHECK(world.exchanges() == 2);
    }
    behaviour.authentication.jwt.bytes = 70'000;
    {
        World world(behaviour);
        CHECK(world.ask_page().find("too large") != std::string::npos);
    }
    behaviour.authentication.jwt = {};
    behaviour.authentication.jwt.expiry = simulator::Jwt::Expiry::past;
    {
        World world(behaviour);
        CHECK(world.ask_page().find("have expired when they come") != std::string::npos);
        CHECK(world.kind == ErrorKind::try_again);
    }
}

TEST_CASE("version 4: a clock of the service or of the API that is an hour off does no harm") {
    for (const Seconds ahead : {Seconds(-1h), Seconds(1h)}) {
        for (const Seconds skew : {Seconds(-1h), Seconds(0), Seconds(1h)}) {
            simulator::Behaviour behaviour = jwt_only();
            behaviour.authentication.jwt.ahead = ahead;
            behaviour.authentication.jwt.life = 2h;
            behaviour.date.skew = skew;
            World world(behaviour);
            for (int call = 0; call < 20; ++call) {
                CHECK(world.ask_page() == "");
                world.pass(20min);
            }
        }
    }
}

TEST_CASE("version 4: one refusal that is a mistake does not give up what is taken") {
    World world;
    CHECK(world.ask_identity() == "");
    world.api_server.set_rule(rules::nth({1}, faults::error(401, "no")));
    CHECK(world.ask_page().find("HTTP status 401: no") != std::string::npos);
    CHECK(world.kind == ErrorKind::token_refused);
    CHECK(world.ask_page() == "");
    CHECK(world.exchanges() == 0);
}

TEST_CASE("version 4: a token that nobody takes is refused, and a new one begins anew") {
    simulator::Behaviour behaviour;
    behaviour.token = "another-token";
    World world(behaviour);
    CHECK(world.ask_identity().starts_with("the token service refuses the token (http"));
    CHECK(world.kind == ErrorKind::token_refused);
    world.api->set_token(Secret("another-token"));
    CHECK(world.ask_identity() == "");
    CHECK(world.exchanges() == 1);
}

TEST_CASE("version 4: the path that is there is found once, and again when it stops working") {
    simulator::Behaviour behaviour;
    behaviour.version4.draganddrop_paths = false;
    World world(behaviour);
    const Stream& stream = streams().front();
    CHECK(world.api->paths_of(stream) == std::nullopt);
    CHECK(world.ask_page() == "");
    CHECK(world.asked() == 2);
    CHECK(world.ask_page() == "");
    CHECK(world.asked() == 3);
    CHECK(world.api->paths_of(stream) == PathFamily::ms);
    world.api_server.change([](simulator::Behaviour& all) {
        all.version4.draganddrop_paths = true;
        all.version4.ms_paths = false;
    });
    CHECK(world.ask_page() == "");
    CHECK(world.asked() == 5);
    CHECK(world.api->paths_of(stream) == PathFamily::draganddrop);
    // What an earlier process has found.
    world.api->expect_paths(stream, PathFamily::ms);
    CHECK(world.ask_page() == "");
    CHECK(world.asked() == 7);
}

TEST_CASE("version 4: a stream to which the token has no right is told by its first path") {
    for (const unsigned status : {403U, 404U}) {
        simulator::Behaviour behaviour;
        behaviour.refused[simulator::Call::impressions] = status;
        World world(behaviour);
        const std::string why = world.ask_page();
        CHECK(why.find("/v4/draganddrop/impressions: HTTP status " + std::to_string(status)) !=
              std::string::npos);
        CHECK(world.asked() == (status == 403 ? 1 : 2));
        CHECK(world.api->paths_of(streams().front()) == std::nullopt);
    }
}

TEST_CASE(
    "version 4: a redirect within the host keeps the token out of the URL; another host gets "
    "none") {
    World world;
    world.api_server.set_rule(
        rules::nth({1}, faults::redirect("/v4/ms/impressions?access_token=x&limit=1")));
    CHECK(world.ask_page() == "");
    for (const simulator::LogEntry& entry : world.api_server.log()) {
        CHECK_FALSE(entry.request.leaked);
        CHECK(entry.request.headers.contains("authorization"));
    }
    world.api_server.set_rule(
        rules::always(faults::redirect(world.service.url("127.0.0.1", "/v4/ms/impressions"))));
    CHECK(world.ask_page().find("where the token is not sent") != std::string::npos);
    CHECK(world.exchanges() == 0);
}

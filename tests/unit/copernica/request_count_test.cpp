// Every request that a server sees keeps to the rate and is counted: redirects, what is repeated on
// a new connection, and the check of a new token.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/copernica/client.hpp"
#include "core/copernica/http_api.hpp"
#include "core/copernica/token_reload.hpp"
#include "tests/support/times.hpp"
#include "tests/unit/http/http_client.hpp"
#include "tests/unit/http/scripted_server.hpp"
#include "tests/unit/sync/fake_clock.hpp"
#include "tests/unit/sync/run_coroutine.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace std::chrono_literals;
using mirror::test::good;
using mirror::test::identity_body;
using mirror::test::options_for;
using mirror::test::reply;

namespace {

const std::string empty_page = R"({"start":0,"limit":1000,"count":0,"total":0,"data":[]})";

struct Counter final : RequestObserver {
    explicit Counter(Clock& its_clock) : clock(its_clock) {}
    void request_begun() override { begun.push_back(clock.monotonic()); }
    void request_ended(RequestOutcome outcome, std::chrono::nanoseconds) override {
        ++ended;
        interim += outcome == RequestOutcome::interim ? 1 : 0;
    }
    Clock& clock;
    std::vector<Monotonic> begun;
    std::uint64_t ended = 0;
    std::uint64_t interim = 0;
};

// A client of one request a second, on a clock of its own.
struct Setup {
    explicit Setup(ScriptedServer& played) : server(played) { options.requests_per_second = 1; }

    tests::FakeClock clock{Instant(Seconds(784111777))};
    ScriptedServer& server;
    boost::asio::io_context loop;
    Counter counter{clock};
    ClientOptions options{Zone("Europe/Amsterdam")};
    HttpApi http{options_for(server)};

    PageQuery query() const {
        PageQuery query;
        query.begintime = tests::local("1994-11-06 00:00:00");
        query.endtime = tests::local("1994-11-06 01:00:00");
        return query;
    }

    void check(const Client& client, std::uint64_t interim) {
        CHECK(client.requests() == server.requests().size());
        CHECK(counter.begun.size() == server.requests().size());
        CHECK(counter.ended == server.requests().size());
        CHECK(counter.interim == interim);
        for (std::size_t i = 1; i < counter.begun.size(); ++i) {
            CHECK(counter.begun[i] - counter.begun[i - 1] >= 1s);
        }
    }
};

}  // namespace

namespace {

// In one go: a kept connection closes itself after a while.
boost::asio::awaitable<void> ask(Client& client, HttpApi& http, PageQuery query, int pages) {
    co_await client.identity();
    for (int page = 0; page < pages; ++page) {
        co_await client.page(query, Seconds(0));
    }
    http.close();
}

boost::asio::awaitable<void> ask_with_new_token(Client& client, HttpApi& http, PageQuery query) {
    co_await client.identity();
    bool refused = false;
    try {
        co_await client.page(query, Seconds(0));
    } catch (const ApiError& error) {
        refused = error.kind() == ErrorKind::token_refused;
    }
    CHECK(refused);
    co_await client.page(query, Seconds(0));
    http.close();
}

}  // namespace

TEST_CASE("each request counts and keeps to the rate: redirects") {
    const auto moved = [](const std::string& where) {
        return reply("301 Moved Permanently", "Location: " + where + "\r\n", "moved");
    };
    ScriptedServer server({Script{{good(identity_body), moved("/v4/x"), moved("/v4/y"),
                                   good(empty_page), good(empty_page)}}});
    Setup setup(server);
    copernica::ApiAccess access(setup.loop.get_executor(), setup.http, setup.clock, setup.counter,
                                setup.options);
    Client client(access, setup.counter, streams().front());
    tests::run(setup.loop, ask(client, setup.http, setup.query(), 2));
    CHECK(server.requests().size() == 5);
    setup.check(client, 2);
}

TEST_CASE("each request counts and keeps to the rate: a kept connection that is dead") {
    // A request comes on the kept connection, which ends without a reply.
    ScriptedServer server({Script{{good(identity_body), ""}}, Script{{good(empty_page)}}});
    Setup setup(server);
    copernica::ApiAccess access(setup.loop.get_executor(), setup.http, setup.clock, setup.counter,
                                setup.options);
    Client client(access, setup.counter, streams().front());
    tests::run(setup.loop, ask(client, setup.http, setup.query(), 1));
    CHECK(server.requests().size() == 3);
    setup.check(client, 1);
}

TEST_CASE("each request counts and keeps to the rate: the check of a new token") {
    const std::string refused =
        reply("401 Unauthorized", "", R"({"error":{"message":"Invalid access token"}})");
    ScriptedServer server(
        {Script{{good(identity_body), refused, refused, good(identity_body), good(empty_page)}}});
    Setup setup(server);
    TokenReload::Source source;
    source.read = [] { return std::optional<std::string>("another"); };
    source.use = [&](Secret token) { setup.http.set_token(std::move(token)); };
    TokenReload reload(setup.http, setup.http.token(), source, setup.counter);
    copernica::ApiAccess access(setup.loop.get_executor(), reload, setup.clock, setup.counter,
                                setup.options);
    Client client(access, setup.counter, streams().front());
    // Refused, and by the new token's identity, too: that is the second refusal.
    tests::run(setup.loop, ask_with_new_token(client, setup.http, setup.query()));
    CHECK(server.requests().size() == 5);
    setup.check(client, 1);
}

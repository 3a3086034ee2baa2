// HttpApi's connections: kept, replaced, counted, cancelled.

#include <functional>
#include <string>
#include <vector>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include "tests/unit/http/http_client.hpp"
#include "tests/unit/http/scripted_server.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::http;
using namespace mirror::test;
namespace asio = boost::asio;

TEST_CASE("connections are kept, and replaced once where they died meanwhile") {
    const auto two_calls = [](ScriptedServer& server, std::uint64_t& requests,
                              std::uint64_t& repeated) {
        asio::io_context io;
        HttpApi api(options_for(server));
        std::vector<Outcome> outcomes(2);
        for (Outcome& outcome : outcomes) {
            start_page(io, api, outcome);
            while (!outcome.page && !outcome.error) {
                io.run_one();
            }
        }
        api.close();
        io.run();
        requests = api.requests();
        repeated = api.repeated();
        return outcomes;
    };
    std::uint64_t requests = 0;
    std::uint64_t repeated = 0;
    SUBCASE("kept") {
        ScriptedServer server({Script{{good(), good()}}});
        const auto outcomes = two_calls(server, requests, repeated);
        CHECK(outcomes[1].page.has_value());
        CHECK(server.connections() == 1);
        CHECK(requests == 2);
    }
    SUBCASE("dead: found out when asked") {
        ScriptedServer server({Script{{good(), ""}}, Script{{good()}}});
        const auto outcomes = two_calls(server, requests, repeated);
        CHECK(outcomes[1].page.has_value());
        CHECK(requests == 3);
        CHECK(repeated == 1);
    }
    SUBCASE("dead: closed or reset by the server after its reply") {
        for (const Script::End end : {Script::End::close, Script::End::reset}) {
            ScriptedServer server({Script{{good()}, end}, Script{{good()}}});
            CHECK(two_calls(server, requests, repeated)[1].page.has_value());
            CHECK(server.connections() == 2);
        }
    }
    SUBCASE("dead twice: a failure") {
        ScriptedServer server({Script{{good(), ""}}, Script{{""}}});
        check_error(two_calls(server, requests, repeated)[1], ErrorKind::try_again,
                    "connection closed by the server");
    }
    SUBCASE("died in the middle of the reply: a failure") {
        ScriptedServer server({Script{{good(), "HTTP/1.1 200 OK\r\n"}}, Script{{good()}}});
        check_error(two_calls(server, requests, repeated)[1], ErrorKind::try_again,
                    "connection closed by the server");
        CHECK(repeated == 0);
    }
    SUBCASE("not kept: something followed the reply, HTTP/1.0, close") {
        for (const std::string& first :
             {good() + good(), reply("200 OK", "Connection: close\r\n", page_body),
              "HTTP/1.0 200 OK\r\nContent-Length: " + std::to_string(page_body.size()) +
                  "\r\n\r\n" + page_body}) {
            ScriptedServer server({Script{{first}}, Script{{good()}}});
            CHECK(two_calls(server, requests, repeated)[1].page.has_value());
            CHECK(server.connections() == 2);
            CHECK(requests == 2);
        }
    }
}

TEST_CASE("a resting connection closes itself, or is closed, and holds nothing up") {
    for (const bool close : {false, true}) {
        CAPTURE(close);
        ScriptedServer server({Script{{good()}, Script::End::wait}});
        HttpOptions options = options_for(server);
        options.timeouts.rest = close ? std::chrono::minutes(10) : std::chrono::milliseconds(20);
        asio::io_context io;
        HttpApi api(std::move(options));
        Outcome outcome;
        start_page(io, api, outcome);
        while (!outcome.page && !outcome.error) {
            io.run_one();
        }
        REQUIRE(outcome.page.has_value());
        if (close) {
            api.close();
        }
        io.run();
        server.join();  // it waits for the client's end of the connection
    }
}

TEST_CASE("at most so many connections at a time") {
    ScriptedServer server({Script{std::vector<std::string>(5, good())}});
    HttpOptions options = options_for(server);
    options.connections = 1;
    asio::io_context io;
    HttpApi api(std::move(options));
    std::vector<Outcome> outcomes(5);
    for (Outcome& outcome : outcomes) {
        start_page(io, api, outcome);
    }
    io.run();
    for (const Outcome& outcome : outcomes) {
        CHECK(outcome.page.has_value());
    }
    CHECK(server.connections() == 1);
}

TEST_CASE("nobody listens") {
    std::string url;
    {
        const ScriptedServer server({});
        url = server.url();
    }
    check_error(get_page(HttpOptions(parse_base_url(url), Secret(token))), ErrorKind::try_again,
                "not connected: Connection refused");
    check_error(
        get_page(HttpOptions(parse_base_url("https://no-such-host.invalid/v3"), Secret(token))),
        ErrorKind::try_again, "https://no-such-host.invalid/v3/ms/impressions: host name");
}

TEST_CASE("a call ends when it is cancelled, wherever it is") {
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
    struct Row {
        const char* name;
        const char* url;
        Script script;
        std::function<bool(const ScriptedServer&)> now;
    };
    const auto at_once = [](const ScriptedServer&) { return true; };
    const auto connected = [](const ScriptedServer& server) { return server.connections() > 0; };
    const auto asked = [](const ScriptedServer& server) { return !server.requests().empty(); };
    const Script::End wait = Script::End::wait;
    const Row rows[] = {
        {"connect", "http://127.0.0.1:", {{""}, wait}, at_once},
        {"resolve", "http://localhost:", {{""}, wait}, at_once},
        {"handshake", "https://127.0.0.1:", {{}, wait}, connected},
        {"header", "http://127.0.0.1:", {{""}, wait}, asked},
        {"body", "http://127.0.0.1:", {{head + "{"}, wait}, asked},
        {"error body",
         "http://127.0.0.1:",
         {{"HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\n"}, wait},
         asked},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.name));
        ScriptedServer server({row.script});
        HttpOptions options(parse_base_url(row.url + std::to_string(server.port())), Secret(token));
        options.connections = 1;
        asio::io_context io;
        HttpApi api(std::move(options));
        // The second one waits for the first one's place.
        std::vector<Outcome> outcomes(2);
        std::vector<asio::cancellation_signal> cancel(2);
        start_page(io, api, outcomes[0], &cancel[0]);
        start_page(io, api, outcomes[1], &cancel[1]);
        io.poll();
        while (!row.now(server)) {
            io.run_one_for(std::chrono::milliseconds(1));
        }
        for (const std::size_t which : {std::size_t{1}, std::size_t{0}}) {
            CHECK_FALSE(outcomes[which].aborted);
            cancel[which].emit(asio::cancellation_type::terminal);
            io.poll();
        }
        io.run();
        for (const Outcome& outcome : outcomes) {
            CHECK(outcome.aborted == asio::error::operation_aborted);
            CHECK_FALSE(outcome.error.has_value());
        }
    }
}

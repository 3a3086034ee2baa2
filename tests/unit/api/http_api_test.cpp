// HttpApi over real sockets, against servers that say what was written down before.
#include "core/api/http_api.hpp"

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include "core/time/text.hpp"
#include "tests/unit/api/gzip.hpp"
#include "tests/unit/api/scripted_server.hpp"
#include "tests/unit/api/tls_server.hpp"

using namespace mirror;
using namespace mirror::api;
namespace asio = boost::asio;

namespace {

const std::string token = "CANARY+/ &token";
const std::string identity_body = R"({"id":"34","name":"Development","company":"C"})";
const std::string page_body =
    R"({"start":0,"limit":1000,"count":1,"data":[{"ID":"1","timestamp":"2014-10-09 13:41:46"}]})";

std::string reply(const std::string& status, const std::string& fields, const std::string& body) {
    return "HTTP/1.1 " + status + "\r\n" + fields +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string good(const std::string& body = page_body) {
    return reply("200 OK", "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", body);
}

HttpOptions options_for(const ScriptedServer& server) {
    return HttpOptions(parse_base_url(server.url() + "/v3"), Secret(token));
}

PageQuery some_query() {
    PageQuery query;
    query.begintime = parse_local("2014-10-09 00:00:00").value();
    query.endtime = parse_local("2014-10-10 00:00:00").value();
    return query;
}

// What became of a call.
struct Outcome {
    std::optional<PageReply> page;
    std::optional<Identity> identity;
    std::optional<ApiError> error;
    boost::system::error_code aborted;

    void keep(const std::exception_ptr& exception) {
        if (!exception) {
            return;
        }
        try {
            std::rethrow_exception(exception);
        } catch (const ApiError& failed) {
            error = failed;
            // Whatever happens, the token is not in a message.
            CHECK(std::string(failed.what()).find("CANARY") == std::string::npos);
            CHECK(std::string(failed.what()).find('\n') == std::string::npos);
        } catch (const boost::system::system_error& system) {
            aborted = system.code();
        }
    }
};

void start_page(asio::io_context& io, HttpApi& api, Outcome& outcome,
                asio::cancellation_signal* cancel = nullptr) {
    auto done = [&outcome](const std::exception_ptr& exception, PageReply page) {
        outcome.keep(exception);
        if (!exception) {
            outcome.page = std::move(page);
        }
    };
    if (cancel == nullptr) {
        asio::co_spawn(io, api.impressions(some_query()), done);
    } else {
        asio::co_spawn(io, api.impressions(some_query()),
                       asio::bind_cancellation_slot(cancel->slot(), done));
    }
}

Outcome get_page(HttpOptions options, std::uint64_t* requests = nullptr) {
    asio::io_context io;
    HttpApi api(std::move(options));
    Outcome outcome;
    start_page(io, api, outcome);
    while (!outcome.page && !outcome.error && !outcome.aborted) {
        io.run_one();
    }
    api.close();
    io.run();
    if (requests != nullptr) {
        *requests = api.requests();
    }
    return outcome;
}

Outcome get_page(const std::string& raw, Script::End end = Script::End::close) {
    ScriptedServer server({Script{{raw}, end}});
    return get_page(options_for(server));
}

Outcome get_identity(HttpOptions options) {
    asio::io_context io;
    HttpApi api(std::move(options));
    Outcome outcome;
    asio::co_spawn(io, api.identity(), [&](const std::exception_ptr& exception, Identity identity) {
        outcome.keep(exception);
        if (!exception) {
            outcome.identity = std::move(identity);
        }
        api.close();
    });
    io.run();
    return outcome;
}

Outcome get_identity(const std::string& raw) {
    ScriptedServer server({Script{{raw}}});
    return get_identity(options_for(server));
}

std::string chunk(const std::string& text) {
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", text.size());
    return size + text + "\r\n";
}

void check_error(const Outcome& outcome, ErrorKind kind, const char* why) {
    REQUIRE(outcome.error.has_value());
    CHECK(outcome.error->kind() == kind);
    const std::string what = outcome.error->what();
    CHECK_MESSAGE(what.find(why) != std::string::npos, what);
}

}  // namespace

TEST_CASE("a page comes over HTTP, and what was asked is what is meant") {
    ScriptedServer server({Script{{good()}}});
    const Outcome outcome = get_page(options_for(server));
    REQUIRE(outcome.page.has_value());
    CHECK(outcome.page->date == Instant(Seconds(784111777)));
    REQUIRE(outcome.page->page.rows.size() == 1);
    CHECK(outcome.page->page.rows[0].id == 1);
    REQUIRE(server.requests().size() == 1);
    CHECK(server.requests()[0] ==
          "GET /v3/ms/impressions?access_token=CANARY%2B%2F%20%26token"
          "&begintime=2014-10-09%2000%3A00%3A00&endtime=2014-10-10%2000%3A00%3A00"
          "&start=0&limit=1000&total=false HTTP/1.1\r\nHost: 127.0.0.1:" +
              std::to_string(server.port()) +
              "\r\nUser-Agent: copernica-mirror/0\r\nAccept: application/json\r\n"
              "Accept-Encoding: gzip\r\n\r\n");
}

TEST_CASE("the forms in which a page may come") {
    const std::string packed = gzip(page_body);
    const std::string chunked = "Transfer-Encoding: chunked\r\n";
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    std::string single_bytes;
    for (const char c : page_body) {
        single_bytes += chunk(std::string(1, c));
    }
    const std::string forms[] = {
        good(),
        ok + chunked + "\r\n" + chunk(page_body) + "0\r\n\r\n",
        ok + chunked + "\r\n" + single_bytes + "0\r\nX-Trailer: x\r\n\r\n",
        ok + chunked + "\r\n5;ext=\"a\"\r\n" + page_body.substr(0, 5) + "\r\n" +
            chunk(page_body.substr(5)) + "0\r\n\r\n",
        reply("200 OK", "Content-Encoding: gzip\r\n", packed),
        reply("200 OK", "Content-Encoding: X-GZIP\r\n", packed),
        reply("200 OK", "Content-Encoding: identity\r\n", page_body),
        ok + "Content-Encoding: gzip\r\n" + chunked + "\r\n" + chunk(packed.substr(0, 10)) +
            chunk(packed.substr(10)) + "0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: " + std::to_string(page_body.size()) + "\r\n\r\n" +
            page_body,
        reply("200 OK", "Date: nonsense\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n", page_body),
        good() + "more than was said",
    };
    for (const std::string& form : forms) {
        CAPTURE(form);
        const Outcome outcome = get_page(form);
        REQUIRE(outcome.page.has_value());
        CHECK(outcome.page->page.rows.size() == 1);
    }
}

TEST_CASE("a large page comes whole") {
    std::string body = R"({"start":0,"data":[)";
    for (int i = 1; i <= 20'000; ++i) {
        body += (i > 1 ? "," : "") + std::string(R"({"ID":")") + std::to_string(i) +
                R"(","timestamp":"2014-10-09 13:41:46","useragent":"Mozilla\/5.0 )" +
                std::to_string(i) + "\"}";
    }
    body += "]}";
    for (const std::string& raw :
         {good(body), reply("200 OK", "Content-Encoding: gzip\r\n", gzip(body))}) {
        const Outcome outcome = get_page(raw);
        REQUIRE(outcome.page.has_value());
        REQUIRE(outcome.page->page.rows.size() == 20'000);
        CHECK(outcome.page->page.rows[19'999].useragent == "Mozilla/5.0 20000");
    }
}

TEST_CASE("a reply that is cut off anywhere is tried again") {
    const std::string whole[] = {
        good(),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(page_body.substr(0, 20)) +
            chunk(page_body.substr(20)) + "0\r\n\r\n",
        reply("200 OK", "Content-Encoding: gzip\r\n", gzip(page_body)),
    };
    for (const std::string& raw : whole) {
        for (std::size_t length = 0; length < raw.size(); ++length) {
            CAPTURE(raw.substr(0, length));
            const Outcome outcome = get_page(
                raw.substr(0, length), length % 2 == 0 ? Script::End::close : Script::End::reset);
            REQUIRE(outcome.error.has_value());
            REQUIRE(outcome.error->kind() == ErrorKind::try_again);
        }
    }
}

TEST_CASE("bad replies: what they are, and why") {
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    const std::string length = "Content-Length: " + std::to_string(page_body.size()) + "\r\n";
    std::string many_fields;
    for (int i = 0; i < 5000; ++i) {
        many_fields += "X-" + std::to_string(i) + ": " + std::to_string(i) + "\r\n";
    }
    struct Row {
        std::string raw;
        ErrorKind kind;
        const char* why;
    };
    const Row rows[] = {
        {"garbage\r\n\r\n", ErrorKind::try_again, "no HTTP"},
        {"\x16\x03\x01", ErrorKind::try_again, ""},
        {page_body, ErrorKind::try_again, "no HTTP"},
        {"HTTP/1.1 2000 OK\r\n\r\n", ErrorKind::try_again, "no HTTP"},
        {"HTTP/3.1 200 OK\r\n" + length + "\r\n" + page_body, ErrorKind::try_again, "no HTTP"},
        {"HTTP/1.1 100 Continue\r\n\r\n" + good(), ErrorKind::try_again, "interim"},
        {ok + "\r\n" + page_body, ErrorKind::try_again, "no length"},
        {"HTTP/1.0 200 OK\r\n\r\n" + page_body, ErrorKind::try_again, "no length"},
        {ok + "Content-Length: -1\r\n\r\n" + page_body, ErrorKind::try_again, "no HTTP"},
        {ok + length + "Content-Length: 3\r\n\r\n" + page_body, ErrorKind::try_again, "no HTTP"},
        {ok + length + "Transfer-Encoding: chunked\r\n\r\n" + chunk(page_body) + "0\r\n\r\n",
         ErrorKind::try_again, "no HTTP"},
        {ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc", ErrorKind::try_again, "no HTTP"},
        {ok + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc", ErrorKind::try_again,
         "no HTTP"},
        {ok + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}xx0\r\n\r\n", ErrorKind::try_again, ""},
        {ok + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(200'000, 'x') + "\r\n{\r\n",
         ErrorKind::try_again, "too large"},
        {ok + "X: " + std::string(100'000, 'x') + "\r\n" + length + "\r\n" + page_body,
         ErrorKind::try_again, "header of the reply is too large"},
        {ok + many_fields + length + "\r\n" + page_body, ErrorKind::try_again,
         "header of the reply is too large"},
        {good(""), ErrorKind::not_plainly_right, "empty"},
        {good("[]"), ErrorKind::not_plainly_right, "no JSON object"},
        {good("<html>Loadbalancer Error</html>"), ErrorKind::not_plainly_right, "no JSON"},
        {good(page_body + "x"), ErrorKind::not_plainly_right, "follows"},
        {good(page_body.substr(0, 30)), ErrorKind::not_plainly_right, "cut off"},
        {good(page_body + std::string(std::size_t{33} << 20, ' ')), ErrorKind::not_plainly_right,
         "too large"},
        {reply("200 OK", "Content-Encoding: gzip\r\n", page_body), ErrorKind::not_plainly_right,
         "damaged"},
        {reply("200 OK", "Content-Encoding: gzip\r\n", gzip(gzip(page_body))),
         ErrorKind::not_plainly_right, "no JSON"},
        {reply("200 OK", "Content-Encoding: gzip\r\n",
               gzip(page_body).substr(0, gzip(page_body).size() - 1)),
         ErrorKind::not_plainly_right, "cut off"},
        {reply("200 OK", "Content-Encoding: gzip\r\n",
               gzip(page_body + std::string(std::size_t{100} << 20, ' '))),
         ErrorKind::not_plainly_right, "too large"},
        {reply("200 OK", "Content-Encoding: br\r\n", page_body), ErrorKind::not_plainly_right,
         "Content-Encoding: br"},
        {reply("204 No Content", "", ""), ErrorKind::not_plainly_right, "HTTP status 204"},
        {reply("206 Partial Content", "", page_body), ErrorKind::not_plainly_right, "206"},
        {reply("304 Not Modified", "", ""), ErrorKind::not_plainly_right, "304"},
        {reply("600 What", "", ""), ErrorKind::try_again, "600"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.raw.substr(0, 200));
        check_error(get_page(row.raw), row.kind, row.why);
    }
}

TEST_CASE("statuses, and what the API says with them") {
    struct Row {
        const char* status;
        ErrorKind kind;
    };
    const Row rows[] = {
        {"400 Bad Request", ErrorKind::request_refused},
        {"401 Unauthorized", ErrorKind::token_refused},
        {"403 Forbidden", ErrorKind::token_refused},
        {"404 Not Found", ErrorKind::request_refused},
        {"408 Request Timeout", ErrorKind::try_again},
        {"429 Too Many Requests", ErrorKind::try_again},
        {"500 Internal Server Error", ErrorKind::try_again},
        {"502 Bad Gateway", ErrorKind::try_again},
        {"503 Service Unavailable", ErrorKind::try_again},
        {"504 Gateway Timeout", ErrorKind::try_again},
    };
    const std::string page = "<html>Loadbalancer Error</html>";
    for (const Row& row : rows) {
        CAPTURE(std::string(row.status));
        const std::string number = std::string(row.status).substr(0, 3);
        const std::string why = "/v3/ms/impressions: HTTP status " + number;
        for (const std::string& raw :
             {reply(row.status, "", page), reply(row.status, "", ""),
              "HTTP/1.1 " + std::string(row.status) + "\r\n\r\n" + page,
              "HTTP/1.1 " + std::string(row.status) + "\r\nContent-Length: 100\r\n\r\ncut",
              reply(row.status, "", std::string(1'000'000, 'x')),
              reply(row.status, "Content-Encoding: gzip\r\n", "no gzip")}) {
            const Outcome outcome = get_page(raw);
            check_error(outcome, row.kind, why.c_str());
            CHECK(outcome.error->status() == std::stoi(number));
            CHECK_FALSE(outcome.error->retry_after().has_value());
        }
    }
}

TEST_CASE("a refused token is told with the API's words, and without the token") {
    const std::string body = R"({"error":{"message":"Invalid access token"}})";
    check_error(get_identity(reply("400 Bad Request", "", body)), ErrorKind::token_refused,
                "/v3/identity: HTTP status 400: Invalid access token");
    check_error(get_identity(reply("400 Bad Request", "Content-Encoding: gzip\r\n", gzip(body))),
                ErrorKind::token_refused, ": Invalid access token");
    check_error(get_page(reply("400 Bad Request", "", body)), ErrorKind::request_refused,
                ": Invalid access token");
    check_error(
        get_identity(reply(
            "400 Bad Request", "",
            R"({"error":{"message":"Bad \u001b[31m\n CANARY+/ &token CANARY%2B%2F%20%26token"}})")),
        ErrorKind::token_refused, "Bad \\u001b[31m\\n [token] [token]");
}

TEST_CASE("Retry-After is handed on") {
    const auto wait = [](const std::string& status, const std::string& fields) {
        const Outcome outcome = get_page(reply(status, fields, ""));
        REQUIRE(outcome.error.has_value());
        return outcome.error->retry_after();
    };
    CHECK(wait("429 Too Many Requests", "Retry-After: 17\r\n") == Seconds(17));
    CHECK(wait("503 Busy", "Retry-After: 0\r\n") == Seconds(0));
    CHECK(wait("503 Busy",
               "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
               "Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n") == Seconds(60));
    CHECK_FALSE(wait("503 Busy", "Retry-After: later\r\n").has_value());
    CHECK_FALSE(wait("404 Not Found", "Retry-After: 17\r\n").has_value());
}

TEST_CASE("whose token it is") {
    const Outcome outcome = get_identity(good(identity_body));
    REQUIRE(outcome.identity.has_value());
    CHECK(outcome.identity->id == "34");
    CHECK(outcome.identity->name == "Development");
    CHECK(outcome.identity->date == Instant(Seconds(784111777)));
    CHECK(get_identity(good(R"({"id":34})")).identity->id == "34");
    for (const char* const body : {"", "[]", "{}", R"({"id":null})", R"({"id":""})", "<html>"}) {
        CAPTURE(std::string(body));
        check_error(get_identity(good(body)), ErrorKind::not_plainly_right, "names no account");
    }
    check_error(get_identity(good(std::string(100'000, ' '))), ErrorKind::not_plainly_right,
                "too large");
}

TEST_CASE("redirects are followed on the same server only") {
    const auto moved = [](const std::string& where) {
        return reply("301 Moved Permanently", "Location: " + where + "\r\n", "moved");
    };
    SUBCASE("same server: the token goes with it once") {
        ScriptedServer server(
            {Script{{moved("/v4/imps?x=1&access_token=wrong"), moved("other"), good()}}});
        std::uint64_t requests = 0;
        const Outcome outcome = get_page(options_for(server), &requests);
        REQUIRE(outcome.page.has_value());
        CHECK(requests == 3);
        CHECK(server.connections() == 1);
        CHECK(server.requests()[1].starts_with(
            "GET /v4/imps?access_token=CANARY%2B%2F%20%26token&x=1 HTTP/1.1\r\n"));
        CHECK(server.requests()[2].starts_with(
            "GET /v4/other?access_token=CANARY%2B%2F%20%26token&x=1 HTTP/1.1\r\n"));
    }
    SUBCASE("a loop ends") {
        ScriptedServer server({Script{std::vector<std::string>(9, moved("/v3/x"))}});
        std::uint64_t requests = 0;
        check_error(get_page(options_for(server), &requests), ErrorKind::request_refused,
                    "redirected too many times");
        CHECK(requests == 4);
    }
    SUBCASE("another host, port or scheme") {
        ScriptedServer other({});
        for (const std::string& where :
             {std::string("https://evil.example/?access_token=CANARY+/%20&token"),
              std::string("//evil.example/"), other.url() + "/v3",
              std::string("https://127.0.0.1/"), std::string("ftp://127.0.0.1/"),
              std::string("https://CANARY%2B%2F%20%26token.example/")}) {
            CAPTURE(where);
            check_error(get_page(moved(where)), ErrorKind::unusable, "where the token is not sent");
        }
    }
    SUBCASE("nowhere") {
        check_error(get_page(moved("")), ErrorKind::try_again, "");
        check_error(get_page(moved("/a b")), ErrorKind::request_refused, "no readable URL");
        check_error(get_page(reply("302 Found", "", "")), ErrorKind::request_refused,
                    "no readable URL");
    }
}

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

TEST_CASE("servers that hang") {
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
    const auto short_time = std::chrono::milliseconds(30);
    for (const std::string& raw : {std::string(), std::string("HTTP/1.1 2"), head, head + "{"}) {
        CAPTURE(raw);
        ScriptedServer server({Script{{raw}, Script::End::wait}, Script{{raw}, Script::End::wait}});
        HttpOptions silence = options_for(server);
        silence.timeouts.silence = short_time;
        check_error(get_page(silence), ErrorKind::try_again, "no byte for too long");
        HttpOptions request = options_for(server);
        request.timeouts.request = short_time;
        check_error(get_page(request), ErrorKind::try_again, "took too long");
    }
    ScriptedServer server({Script{{}, Script::End::wait}});
    HttpOptions tls(parse_base_url("https://127.0.0.1:" + std::to_string(server.port())),
                    Secret(token));
    tls.timeouts.connect = short_time;
    check_error(get_page(tls), ErrorKind::try_again, "no answer to the TLS handshake");
}

TEST_CASE("what answers a TLS handshake with something else") {
    // The client's greeting, which is no request, is never answered, or cut off.
    ScriptedServer server({Script{{}}, Script{{}, Script::End::reset}});
    for (int i = 0; i < 2; ++i) {
        check_error(get_page(HttpOptions(
                        parse_base_url("https://127.0.0.1:" + std::to_string(server.port())),
                        Secret(token))),
                    ErrorKind::try_again, "");
    }
}

TEST_CASE("TLS: whom we talk to is known before anything is said") {
    struct Row {
        const char* host;
        TlsIdentity identity;
        const char* refused;  // null: all is well
    };
    const auto identity = [](const char* name, long begins = -3600, long ends = 3600) {
        TlsIdentity result;
        result.name = name;
        result.begins = begins;
        result.ends = ends;
        return result;
    };
    TlsIdentity unknown_root;
    unknown_root.known_root = false;
    TlsIdentity tls12;
    tls12.max_version = TLS1_2_VERSION;
    const Row rows[] = {
        {"localhost", identity("DNS:localhost"), nullptr},
        {"localhost", tls12, nullptr},
        {"127.0.0.1", identity("IP:127.0.0.1"), nullptr},
        {"localhost", identity("DNS:other.example"), "hostname mismatch"},
        {"localhost", identity("DNS:*"), "hostname mismatch"},
        {"127.0.0.1", identity("DNS:localhost"), "IP address mismatch"},
        {"127.0.0.1", identity("DNS:127.0.0.1"), "IP address mismatch"},
        {"localhost", identity("DNS:localhost", -7200, -3600), "certificate has expired"},
        {"localhost", identity("DNS:localhost", 3600, 7200), "certificate is not yet valid"},
        {"localhost", unknown_root, "unable to get local issuer certificate"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.host));
        CAPTURE(row.identity.name);
        CAPTURE(row.identity.begins);
        TlsServer server(row.identity, good());
        HttpOptions options(parse_base_url("https://" + std::string(row.host) + ":" +
                                           std::to_string(server.port())),
                            Secret(token));
        options.ca_file = server.ca_file();
        const Outcome outcome = get_page(options);
        if (row.refused == nullptr) {
            REQUIRE_MESSAGE(outcome.page.has_value(),
                            std::string(outcome.error ? outcome.error->what() : ""));
            CHECK(outcome.page->page.rows.size() == 1);
            CHECK(server.received().find("CANARY") != std::string::npos);
            CHECK(server.asked_name() == (std::string(row.host) == "localhost" ? "localhost" : ""));
        } else {
            const std::string why =
                "was refused before the token was sent: " + std::string(row.refused);
            check_error(outcome, ErrorKind::unusable, why.c_str());
            CHECK(server.received().empty());
        }
    }
}

TEST_CASE("TLS: connections are kept") {
    // The server answers one connection only.
    TlsServer server(TlsIdentity(), good(), true, 3);
    HttpOptions options(parse_base_url("https://localhost:" + std::to_string(server.port())),
                        Secret(token));
    options.ca_file = server.ca_file();
    asio::io_context io;
    HttpApi api(std::move(options));
    for (int i = 0; i < 3; ++i) {
        Outcome outcome;
        start_page(io, api, outcome);
        while (!outcome.page && !outcome.error) {
            io.run_one();
        }
        CHECK(outcome.page.has_value());
    }
    api.close();
    io.run();
    CHECK(api.requests() == 3);
}

TEST_CASE("TLS: old versions are refused, and a cut is no end") {
    for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
        TlsIdentity identity;
        identity.max_version = version;
        TlsServer server(identity, good());
        HttpOptions options(parse_base_url("https://localhost:" + std::to_string(server.port())),
                            Secret(token));
        options.ca_file = server.ca_file();
        check_error(get_page(options), ErrorKind::try_again, "TLS handshake failed");
        CHECK(server.received().empty());
    }
    for (const bool goodbye : {false, true}) {
        TlsServer server(TlsIdentity(), good().substr(0, good().size() - 1), goodbye);
        HttpOptions options(parse_base_url("https://localhost:" + std::to_string(server.port())),
                            Secret(token));
        options.ca_file = server.ca_file();
        check_error(get_page(options), ErrorKind::try_again,
                    goodbye ? "connection closed by the server while reading the reply"
                            : "TLS connection cut off while reading the reply");
    }
}

TEST_CASE("CAs that cannot be read are named") {
    HttpOptions options(parse_base_url("https://localhost/"), Secret(token));
    options.ca_file = "/no/such/file.pem";
    CHECK_THROWS_WITH_AS(HttpApi{options}, doctest::Contains("/no/such/file.pem"),
                         std::runtime_error);
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

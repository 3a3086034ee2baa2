// HttpApi over real sockets, against servers that say what was written down before.
#include "core/copernica/http_api.hpp"

#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include "core/copernica/identity_decoder.hpp"
#include "core/http/body_sink.hpp"
#include "tests/support/impression.hpp"
#include "tests/unit/http/gzip.hpp"
#include "tests/unit/http/http_client.hpp"
#include "tests/unit/http/scripted_server.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::http;
using namespace mirror::test;

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
        "HTTP/1.1 100 Continue\r\n\r\n" + good(),
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + good(),
    };
    for (const std::string& form : forms) {
        CAPTURE(form);
        const Outcome outcome = get_page(form);
        REQUIRE(outcome.page.has_value());
        CHECK(outcome.page->page.rows.size() == 1);
    }
}

TEST_CASE("each stream has its own call and its own names for a period") {
    for (const Stream& stream : streams()) {
        CAPTURE(stream.name);
        ScriptedServer server({Script{{good(R"({"start":0,"limit":1000,"count":0,"data":[]})")}}});
        boost::asio::io_context io;
        HttpApi api(options_for(server));
        Outcome outcome;
        start_page(io, api, outcome, nullptr, stream);
        while (!outcome.is_there()) {
            io.run_one();
        }
        CHECK(outcome.page.has_value());
        const std::string request = server.requests().at(0);
        CHECK(request.starts_with("GET /v3/" + std::string(stream.path) + "?access_token="));
        CHECK(request.find("&" + std::string(stream.begin) + "=2014-10-09%2000%3A00%3A00&" +
                           std::string(stream.end) + "=2014-10-10") != std::string::npos);
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
        CHECK(tests::impression_of(outcome.page->page.rows[19'999]).useragent ==
              "Mozilla/5.0 20000");
    }
}

TEST_CASE("statuses, with a body that is not the API's") {
    struct Row {
        const char* status;
        ErrorKind kind;
    };
    const Row rows[] = {
        {"400 Bad Request", ErrorKind::try_again},
        {"401 Unauthorized", ErrorKind::try_again},
        {"403 Forbidden", ErrorKind::try_again},
        {"404 Not Found", ErrorKind::try_again},
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
    check_error(get_page(reply("403 Forbidden", "", body)), ErrorKind::token_refused,
                ": Invalid access token");
    check_error(get_page(reply("404 Not Found", "", body)), ErrorKind::request_refused,
                ": Invalid access token");
    check_error(
        get_identity(reply(
            "400 Bad Request", "",
            R"({"error":{"message":"Bad \u001b[31m\n CANARY+/ &token CANARY%2B%2F%20%26token"}})")),
        ErrorKind::token_refused, "Bad \\u001b[31m\\n [token] [token]");
}

TEST_CASE("a token in what the API says is not handed on") {
    const Outcome outcome =
        get_page(good(R"({"start":0,"limit":1000,"count":3,"data":[)"
                      R"({"ID":"1","timestamp":"2014-10-09 13:41:46","ip":"CANARY+/ &token",)"
                      R"("useragent":"a CANARY%2B%2F%20%26token","device":"CANARY%2b%2f+%26token",)"
                      R"("self":"https://x/?t=CANARY%2B%2F%20%26token"},)"
                      R"({"ID":"CANARY+\/ &token","timestamp":"CANARY+/ &token"},)"
                      R"({"ID":"2","timestamp":"2014-10-09 13:41:46","ip":"CANARY"}]})"));
    REQUIRE(outcome.page.has_value());
    const Page& page = outcome.page->page;
    REQUIRE(page.rows.size() == 2);
    CHECK(tests::impression_of(page.rows[0]).ip == "[token]");
    CHECK(tests::impression_of(page.rows[0]).useragent == "a [token]");
    CHECK(tests::impression_of(page.rows[0]).device == "[token]");
    CHECK(page.rows[0].extra == R"({"self":"https://x/?t=[token]"})");
    CHECK(tests::impression_of(page.rows[1]).ip == "CANARY");
    REQUIRE(page.rejects.size() == 1);
    CHECK(page.rejects[0].timestamp == "[token]");
    CHECK(page.rejects[0].record == R"({"ID":"[token]","timestamp":"[token]"})");
    CHECK(page.rejects[0].reason.find("CANARY") == std::string::npos);
    CHECK(get_identity(good(R"({"id":"34","name":"CANARY+/ &token"})")).identity->name ==
          "[token]");
}

TEST_CASE("a token that was replaced while its request was under way is masked as well") {
    const std::string echo =
        R"({"start":0,"limit":1000,"count":1,"data":[{"ID":"1","timestamp":"2014-10-09 13:41:46",)"
        R"("ip":"CANARY+/ &token another"}]})";
    const std::string refused =
        reply("400 Bad Request", "", R"({"error":{"message":"no CANARY+/ &token, no another"}})");
    for (const std::string& answer : {good(echo), refused}) {
        ScriptedServer server({Script{{answer}}});
        boost::asio::io_context io;
        HttpApi api(options_for(server));
        Outcome outcome;
        start_page(io, api, outcome);
        io.run_one();  // up to the connection
        api.set_token(Secret("another"));
        while (!outcome.is_there()) {
            io.run_one();
        }
        api.close();
        io.run();
        CHECK(server.requests().at(0).find("CANARY") != std::string::npos);
        if (outcome.page) {
            CHECK(tests::impression_of(outcome.page->page.rows.at(0)).ip == "[token] another");
        } else {
            check_error(outcome, ErrorKind::request_refused, "no [token], no [token]");
        }
    }
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
    CHECK(wait("404 Not Found", "Retry-After: 17\r\n") == Seconds(17));
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
        check_error(get_identity(good(body)), ErrorKind::invalid_response, "names no account");
    }
    check_error(get_identity(good(std::string(100'000, ' '))), ErrorKind::invalid_response,
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

TEST_CASE("what the API bills") {
    CHECK(decode_consumption(R"({"emails":7,"apicalls":43200})").api_calls == 43'200);
    CHECK(decode_consumption(R"({"apicalls":"0"})").api_calls == 0);
    for (const char* const body : {"", "[]", "{}", R"({"apicalls":-1})", R"({"apicalls":null})"}) {
        CAPTURE(std::string(body));
        CHECK_THROWS_AS(decode_consumption(body), BadBody);
    }
}

// What is in the way of the first request, told by its name; and what the log says of a request.
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include "tests/unit/http/http_client.hpp"
#include "tests/unit/http/scripted_server.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::test;

TEST_CASE("first contact: an HTML page in place of JSON") {
    const std::string page = reply("200 OK", "Content-Type: text/html; charset=utf-8\r\n",
                                   "<html><body>Please log in</body></html>");
    check_error(get_page(page), ErrorKind::invalid_response,
                "it is an HTML page: does the network want a login first (a captive portal)");
    check_error(get_identity(page), ErrorKind::invalid_response,
                "names no account; it is an HTML page");
    check_error(get_identity(page), ErrorKind::invalid_response, "no account");
}

TEST_CASE("first contact: a redirect to a login page") {
    check_error(get_page(reply("302 Found", "Location: http://login.example.net/?x=1\r\n", "")),
                ErrorKind::unusable, "the network may want a login first (a captive portal)");
}

TEST_CASE("first contact: a port that speaks plain HTTP in place of TLS") {
    Script script;
    script.greeting = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    ScriptedServer server({script});
    const HttpOptions options(
        http::parse_base_url("https://127.0.0.1:" + std::to_string(server.port()) + "/v3"),
        Secret(token));
    check_error(get_page(options), ErrorKind::try_again, "what answers there may speak plain HTTP");
}

TEST_CASE("first contact: the log has a line for each request, without token and query") {
    struct Log final : RequestObserver {
        void debug(const std::string& line) override { lines.push_back(line); }
        std::vector<std::string> lines;
    };
    Log log;
    ScriptedServer server({Script{{reply("503 Busy", "", "<html>busy</html>")}}, Script{{good()}},
                           Script{{""}, Script::End::close}});
    for (int call = 0; call < 3; ++call) {
        HttpOptions options = options_for(server);
        options.observer = &log;
        get_page(options);
    }
    REQUIRE(log.lines.size() == 3);
    for (const std::string& line : log.lines) {
        CAPTURE(line);
        CHECK(line.starts_with("GET /v3/ms/impressions: "));
        CHECK(line.find("CANARY") == std::string::npos);
        CHECK(line.find('?') == std::string::npos);
        CHECK(line.find(" ms") != std::string::npos);
    }
    CHECK(log.lines[0].find("status 503, 17 bytes after ") != std::string::npos);
    CHECK(log.lines[1].find("status 200, ") != std::string::npos);
    CHECK(log.lines[1].ends_with(" ms, 2014-10-09 00:00:00 to 2014-10-10 00:00:00: 1 records"));
    CHECK(log.lines[2].find("connection closed by the server") != std::string::npos);
}

#include "core/http/proxy.hpp"

#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

using namespace mirror::http;

namespace {

BaseUrl api() {
    return parse_base_url("https://api.copernica.com/v4");
}

}  // namespace

TEST_CASE("proxy: URLs") {
    struct {
        const char* url;
        const char* place;
        const char* user;
        const char* password;
    } const rows[] = {
        {"http://proxy.example.com:3128", "proxy.example.com:3128", "", ""},
        {"http://Proxy.Example.COM/", "proxy.example.com:1080", "", ""},
        {"http://10.0.0.1:80", "10.0.0.1:80", "", ""},
        {"http://[2001:DB8::1]:8080", "[2001:db8::1]:8080", "", ""},
        {"http://ann:secret@proxy:1", "proxy:1", "ann", "secret"},
        {"http://ann@proxy:1", "proxy:1", "ann", ""},
        {"http://a%40b:p%3Aq%2F%20%C3%A9@proxy:1", "proxy:1", "a@b", "p:q/ \xc3\xa9"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.url);
        const ProxyAddress proxy = parse_proxy(row.url);
        CHECK(proxy.place() == row.place);
        CHECK(proxy.user.value_or("") == row.user);
        CHECK(proxy.password.value_or("") == row.password);
    }
    CHECK(parse_proxy("http://proxy:1").authorization() == "");
    CHECK(parse_proxy("http://Aladdin:open%20sesame@proxy:1").authorization() ==
          "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    CHECK(parse_proxy("http://a:b@proxy:1").authorization() == "Basic YTpi");
    CHECK(parse_proxy("http://a:bc@proxy:1").authorization() == "Basic YTpiYw==");
    CHECK(parse_proxy("http://a@proxy:1").authorization() == "Basic YTo=");
}

TEST_CASE("proxy: what is not the URL of one, without the password in the error") {
    for (const char* const url : {"proxy",
                                  "proxy:3128",
                                  "",
                                  "://CANARY",
                                  "https://u:CANARY@proxy:1",
                                  "socks5://u:CANARY@proxy:1",
                                  "http://",
                                  "http://u:CANARY@",
                                  "http://u:CANARY@:80",
                                  "http://u:CANARY@proxy:99999",
                                  "http://u:CANARY@proxy:0",
                                  "http://u:CANARY@proxy:x",
                                  "http://u:CANARY@proxy/path",
                                  "http://u:CANARY@proxy?x",
                                  "http://u:CANARY@proxy#x",
                                  "http://:CANARY@proxy",
                                  "http://u:CANARY%0A@proxy",
                                  "http://u%3A:CANARY@proxy",
                                  "http://u:CANARY@pro xy",
                                  "http://u:CANARY@pro%20xy",
                                  "file:///CANARY"}) {
        CAPTURE(std::string(url));
        try {
            parse_proxy(url);
            FAIL("it was taken");
        } catch (const std::invalid_argument& error) {
            CHECK(std::string(error.what()).find("CANARY") == std::string::npos);
            CHECK(std::string(error.what()).find('\n') == std::string::npos);
        }
    }
}

TEST_CASE("proxy: NO_PROXY") {
    struct {
        const char* host;
        const char* no_proxy;
        bool excluded;
    } const rows[] = {
        {"api.copernica.com", "", false},
        {"api.copernica.com", "*", true},
        {"api.copernica.com", " * ", true},
        {"api.copernica.com", "example.com,*", false},
        {"api.copernica.com", "api.copernica.com", true},
        {"api.copernica.com", "API.Copernica.COM", true},
        {"api.copernica.com", "copernica.com", true},
        {"api.copernica.com", ".copernica.com", true},
        {"api.copernica.com", "example.com,copernica.com", true},
        {"api.copernica.com", " example.com , copernica.com ", true},
        {"api.copernica.com", "example.com copernica.com", true},
        {"api.copernica.com", "nica.com", false},
        {"api.copernica.com", "x.api.copernica.com", false},
        {"api.copernica.com", "api.copernica.com.example", false},
        {"api.copernica.com", ".", false},
        {"api.copernica.com", ",,,", false},
        {"api.copernica.com", "10.0.0.0/8", false},
        {"10.1.2.3", "10.1.2.3", true},
        {"10.1.2.3", "10.0.0.0/8", true},
        {"11.1.2.3", "10.0.0.0/8", false},
        {"10.1.2.3", "10.1.2.0/33", false},
        {"10.1.2.3", "2.3", false},
        {"2001:db8::1", "[2001:db8::1]", true},
        {"2001:db8::1", "2001:db8:0::1", true},
        {"2001:db8::1", "2001:db8::/32", true},
        {"2001:db9::1", "2001:db8::/32", false},
        {"2001:db9::1", "10.0.0.0/8", false},
    };
    for (const auto& row : rows) {
        CAPTURE(row.host);
        CAPTURE(row.no_proxy);
        CHECK(is_excluded(row.host, row.no_proxy) == row.excluded);
    }
}

TEST_CASE("proxy: what is asked of it") {
    CHECK(connect_request(api(), parse_proxy("http://proxy:1")) ==
          "CONNECT api.copernica.com:443 HTTP/1.1\r\nHost: api.copernica.com:443\r\n\r\n");
    CHECK(connect_request(parse_base_url("https://[2001:db8::1]:8443/v4"),
                          parse_proxy("http://a:b@proxy:1")) ==
          "CONNECT [2001:db8::1]:8443 HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\n"
          "Proxy-Authorization: Basic YTpi\r\n\r\n");
}

TEST_CASE("proxy: its answer, as far as it has come") {
    using State = ProxyAnswer::State;
    const std::string whole = "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n";
    for (std::size_t length = 0; length < whole.size(); ++length) {
        CHECK(read_proxy_answer(whole.substr(0, length)).state == State::incomplete);
    }
    struct {
        std::string text;
        State state;
        int status;
    } const rows[] = {
        {whole, State::tunnel, 200},
        {"HTTP/1.0 200 OK\r\n\r\n", State::tunnel, 200},
        {whole + "x", State::broken, 200},
        {"HTTP/1.1 407 No\r\nContent-Length: 9\r\n\r\n<html>", State::refused, 407},
        {"HTTP/1.1 302 Found\r\n\r\n", State::refused, 302},
        {"HTTP/1.1 100 Continue\r\n\r\n", State::broken, 0},
        {"HTTP/1.1 20\r\n\r\n", State::broken, 0},
        {"HTTP/1.1\r\n\r\n", State::broken, 0},
        {"HTTP/2 200\r\n\r\n", State::broken, 0},
        {"<html>", State::broken, 0},
        {"\x15\x03\x01", State::broken, 0},
        {"HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x'), State::broken, 0},
    };
    for (const auto& row : rows) {
        CAPTURE(row.text.substr(0, 60));
        CHECK(read_proxy_answer(row.text).state == row.state);
        CHECK(read_proxy_answer(row.text).status == row.status);
    }
}

TEST_CASE("proxy: a refusal is told as the proxy's") {
    const ProxyAddress plain = parse_proxy("http://proxy:3128");
    const ProxyAddress with_user = parse_proxy("http://ann:CANARY@proxy:3128");
    struct {
        int status;
        const ProxyAddress& proxy;
        const char* why;
        bool needs_person;
    } const rows[] = {
        {407, plain, "the proxy proxy:3128 wants a user name and a password (HTTP status 407)",
         true},
        {407, with_user,
         "the proxy proxy:3128 refuses the user name and the password (HTTP status 407)", true},
        {401, with_user,
         "the proxy proxy:3128 refuses the user name and the password (HTTP status 401)", true},
        {403, with_user,
         "the proxy proxy:3128 does not allow connections to api.copernica.com (HTTP status 403)",
         true},
        {502, plain, "the proxy proxy:3128 does not reach api.copernica.com (HTTP status 502)",
         false},
        {503, plain, "the proxy proxy:3128 does not reach api.copernica.com (HTTP status 503)",
         false},
        {405, plain,
         "the proxy proxy:3128 makes no connection to api.copernica.com (HTTP status 405)", false},
    };
    for (const auto& row : rows) {
        const ProxyRefusal refusal = proxy_refusal(row.status, api(), row.proxy);
        CHECK(refusal.why == row.why);
        CHECK(refusal.needs_person == row.needs_person);
    }
}

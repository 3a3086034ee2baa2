// Base URLs, redirects, and the targets of requests.
#include "core/http/url.hpp"

#include <stdexcept>
#include <string>

#include <boost/version.hpp>
#include <doctest/doctest.h>

#include "core/copernica/query.hpp"
#include "core/time/text.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::http;

// Boost.URL 1.81 cannot read a host name that begins with an address, 1.83 can. With either, such a
// name is never taken for the address.
constexpr bool reads_address_as_name = BOOST_VERSION >= 108300;

// 1.81 does not read the zone of an IPv6 address, either. Neither accepts such an
// address as the API's.
constexpr bool reads_zones = BOOST_VERSION >= 108300;

TEST_CASE("base URLs that may be used") {
    struct Row {
        std::string text;
        bool tls;
        const char* host;
        int port;
        const char* path;
        const char* authority;
    };
    const Row rows[] = {
        {"https://api.copernica.com/v3", true, "api.copernica.com", 443, "/v3",
         "api.copernica.com"},
        {"HTTPS://API.Copernica.COM/v3/", true, "api.copernica.com", 443, "/v3",
         "api.copernica.com"},
        {"https://localhost", true, "localhost", 443, "", "localhost"},
        {"https://10.0.0.1:8443/", true, "10.0.0.1", 8443, "", "10.0.0.1:8443"},
        {"http://127.0.0.1:8080", false, "127.0.0.1", 8080, "", "127.0.0.1:8080"},
        {"http://127.9.9.9/a/b", false, "127.9.9.9", 80, "/a/b", "127.9.9.9"},
        {"http://[::1]:81/", false, "::1", 81, "", "[::1]:81"},
        {"http://localhost:443", false, "localhost", 443, "", "localhost:443"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        const BaseUrl url = parse_base_url(row.text);
        CHECK(url.tls == row.tls);
        CHECK(url.host == row.host);
        CHECK(url.port == row.port);
        CHECK(url.path == row.path);
        CHECK(url.authority() == row.authority);
    }
    CHECK(parse_base_url("https://api.copernica.com/v3").text() == "https://api.copernica.com/v3");
}

TEST_CASE("base URLs that may not be used, and why") {
    struct Row {
        std::string text;
        const char* why;
    };
    const Row rows[] = {
        {"", "not a URL"},
        {"api.copernica.com/v3", "not a URL"},
        {"https://a b/", "not a URL"},
        {"ftp://api.copernica.com/", "https://"},
        {"https:", "host name"},
        {"https://", "host name"},
        {"https:///v3", "host name"},
        {"https://user:secret@api.copernica.com/", "user name"},
        {"https://api.copernica.com/?a=b", "\"?\""},
        {"https://api.copernica.com/#a", "\"?\" or \"#\""},
        {"https://api.copernica.com:0/", "port"},
        {"https://api%20x.com/", "host name"},
        {"http://api.copernica.com/v3", "use \"https://api.copernica.com/v3\""},
        {"http://10.0.0.1/", "plain HTTP"},
        {"http://localhost.evil.example/", "plain HTTP"},
        {"http://127.0.0.1.evil.example/", reads_address_as_name ? "plain HTTP" : "not a URL"},
        {"http://[::1].evil.example/", "not a URL"},
        {"https://[v1.a]/", "host name"},
        {"https://[fe80::1%25eth0]/", reads_zones ? "host name" : "not a URL"},
        {"http://[::1%25lo]/", reads_zones ? "host name" : "not a URL"},
        {"http://0.0.0.0/", "plain HTTP"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        CHECK_THROWS_WITH_AS(parse_base_url(row.text), doctest::Contains(row.why),
                             std::invalid_argument);
    }
    CHECK_THROWS_AS(parse_base_url("https://api.copernica.com:99999/"), std::invalid_argument);
}

TEST_CASE("where redirects lead") {
    const BaseUrl base = parse_base_url("https://api.copernica.com/v3");
    const std::string asked = "/v3/ms/impressions";
    struct Row {
        const char* location;
        RedirectTarget::Kind kind;
        const char* path;
        const char* query;
    };
    using Kind = RedirectTarget::Kind;
    const Row rows[] = {
        {"https://api.copernica.com/v4/x?a=b", Kind::same_place, "/v4/x", "a=b"},
        {"https://API.copernica.com:443/v4", Kind::same_place, "/v4", ""},
        {"/v4/x", Kind::same_place, "/v4/x", ""},
        {"other?a=%20", Kind::same_place, "/v3/ms/other", "a=%20"},
        {"//api.copernica.com/y", Kind::same_place, "/y", ""},
        {"https://api.copernica.com", Kind::same_place, "/", ""},
        {"http://api.copernica.com/v3", Kind::other_place, "", ""},
        {"https://api.copernica.com:444/v3", Kind::other_place, "", ""},
        {"https://evil.example/v3", Kind::other_place, "", ""},
        {"//evil.example/v3", Kind::other_place, "", ""},
        {"https://api.copernica.com@evil.example/", Kind::other_place, "", ""},
        {"https://127.0.0.1.evil.example/",
         reads_address_as_name ? Kind::other_place : Kind::not_readable, "", ""},
        {"https://x@api.copernica.com/", Kind::other_place, "", ""},
        {"ftp://api.copernica.com/", Kind::other_place, "", ""},
        {"javascript:alert(1)", Kind::other_place, "", ""},
        {"https://a b/", Kind::not_readable, "", ""},
        {"/x y", Kind::not_readable, "", ""},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.location));
        const RedirectTarget target = parse_location(base, asked, row.location);
        CHECK(target.kind == row.kind);
        CHECK(target.path == row.path);
        CHECK(target.query == row.query);
    }
}

TEST_CASE("every value of a query is percent-encoded") {
    CHECK(percent_encode("AZaz09-._~") == "AZaz09-._~");
    CHECK(percent_encode("a b+c&d=e/f?g#h%i\"\r\n\xc3\xa9") ==
          "a%20b%2Bc%26d%3De%2Ff%3Fg%23h%25i%22%0D%0A%C3%A9");
    PageQuery query;
    query.begintime = parse_local("2014-10-09 13:41:46").value();
    query.endtime = parse_local("2014-10-10 00:00:00").value();
    query.start = 5'000'000'000;
    query.limit = 500;
    CHECK(page_parameters(*find_stream("impressions"), query) ==
          "begintime=2014-10-09%2013%3A41%3A46&endtime=2014-10-10%2000%3A00%3A00"
          "&start=5000000000&limit=500&total=false");
    query.total = true;
    CHECK(page_parameters(*find_stream("impressions"), query).ends_with("&total=true"));
    CHECK(page_parameters(*find_stream("mailings"), query)
              .starts_with("fromdate=2014-10-09%2013%3A41%3A46&todate=2014-10-10%2000%3A00%3A00&"));
}

TEST_CASE("a target has our token once, whatever a redirect says") {
    const Secret token("t&k n");
    CHECK(target_with_token("/v3/identity", "", token) == "/v3/identity?access_token=t%26k%20n");
    CHECK(target_with_token("/x", "a=b&c=d", token) == "/x?access_token=t%26k%20n&a=b&c=d");
    CHECK(target_with_token("/x", "access_token=other&a=b&access_token", token) ==
          "/x?access_token=t%26k%20n&a=b");
}

#include "daemon/config/proxy_choice.hpp"

#include <string>

#include <doctest/doctest.h>

#include "daemon/process/usage_error.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/daemon/captured_environment.hpp"

using namespace mirror;
using namespace mirror::daemon;

namespace {

struct Surroundings : test::CapturedEnvironment {
    Config config;
    test::TemporaryDirectory directory;

    // Host and port; empty: none.
    std::string place(const std::string& server = "https://api.copernica.com/v4") {
        const auto proxy = choose_proxy(config, environment, http::parse_base_url(server));
        return proxy ? proxy->place() : "";
    }
    std::string password() {
        return choose_proxy(config, environment, http::parse_base_url("https://example.org/"))
            ->password.value_or("none");
    }
    std::string complaint() {
        try {
            place();
        } catch (const UsageError& error) {
            return error.what();
        }
        return "none";
    }
};

}  // namespace

TEST_CASE("proxy: the configuration's, the environment's, none") {
    Surroundings s;
    CHECK(s.place() == "");
    s.environment.https_proxy = "http://environment:1";
    CHECK(s.place() == "environment:1");
    s.environment.https_proxy = "environment:2";  // as curl takes it, too
    CHECK(s.place() == "environment:2");
    s.environment.no_proxy = "copernica.com";
    CHECK(s.place() == "");
    CHECK(s.place("https://authenticate.example.org/") == "environment:2");
    s.config.api.proxy = "none";
    s.environment.no_proxy.reset();
    CHECK(s.place() == "");
    s.config.api.proxy = "http://configured:3";
    s.environment.no_proxy = "*";
    CHECK(s.place() == "configured:3");
    // Plain HTTP goes to this machine itself.
    CHECK(s.place("http://127.0.0.1:8080/v4") == "");
    s.config.api.proxy = "";
    s.environment.https_proxy = "";
    s.environment.no_proxy.reset();
    CHECK(s.place() == "");
}

TEST_CASE("proxy: a wrong variable is named, and its password is not shown") {
    Surroundings s;
    for (const char* const url :
         {"https://u:CANARY@proxy:1", "socks5h://u:CANARY@proxy:1", "u:CANARY@proxy:port"}) {
        s.environment.https_proxy = url;
        CHECK(s.complaint().starts_with("$HTTPS_PROXY: the URL of a proxy"));
        CHECK(s.complaint().find("CANARY") == std::string::npos);
    }
    s.config.api.proxy = "none";
    CHECK(s.complaint() == "none");
}

TEST_CASE("proxy: where its password comes from") {
    Surroundings s;
    s.config.api.proxy = "http://ann@proxy:1";
    CHECK(s.password() == "none");
    s.directory.file("proxy_password", "from-credential\n");
    s.environment.credentials_directory = s.directory.path();
    CHECK(s.password() == "from-credential");
    s.config.api.proxy_password_file = s.directory.file("password", "from file \r\nmore\n");
    CHECK(s.password() == "from file ");
    s.config.api.proxy = "http://ann:from-url@proxy:1";
    CHECK(s.password() == "from-url");
    // Nobody asks for one.
    s.config.api.proxy = "http://proxy:1";
    CHECK(s.password() == "none");
}

TEST_CASE("proxy: a password's file that cannot serve") {
    Surroundings s;
    s.config.api.proxy = "http://ann@proxy:1";
    s.config.api.proxy_password_file = s.directory.path() / "missing";
    CHECK(s.complaint().starts_with("[api] proxy_password_file: "));
    CHECK(s.complaint().find("missing cannot be read") != std::string::npos);
    s.config.names["[api] proxy_password_file"] = "config.toml:7: [api] proxy_password_file";
    CHECK(s.complaint().starts_with("config.toml:7: [api] proxy_password_file: "));
    s.config.api.proxy_password_file = s.directory.path();
    CHECK(s.complaint().find("cannot be read") != std::string::npos);
    for (const std::string& text :
         {std::string(), std::string("\n"), std::string(2000, 'x'), std::string("CANARY\x01")}) {
        s.config.api.proxy_password_file = s.directory.file("password", text);
        CHECK(s.complaint().find("does not hold a password") != std::string::npos);
        CHECK(s.complaint().find("CANARY") == std::string::npos);
    }
}

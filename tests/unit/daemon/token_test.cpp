#include "daemon/config/token.hpp"

#include <filesystem>

#include <doctest/doctest.h>

#include "daemon/process/usage_error.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/daemon/captured_environment.hpp"

using namespace mirror;
using namespace mirror::daemon;

namespace {

struct Surroundings : test::CapturedEnvironment {
    test::TemporaryDirectory directory;

    std::filesystem::path secret(const char* name, const std::string& text) const {
        auto file = directory.file(name, text);
        std::filesystem::permissions(file, std::filesystem::perms::owner_read);
        return file;
    }
};

}  // namespace

TEST_CASE("token: the sources in their order") {
    Surroundings s;
    const auto option = s.secret("option", "from-option\n");
    const auto configured = s.secret("configured", "  from-config \r\n");
    s.secret("access_token", "from-credential\n");
    s.environment.credentials_directory = s.directory.path();
    s.environment.access_token = "from-environment";

    CHECK(find_token(option, configured, s.environment).token == "from-option");
    CHECK(find_token(std::nullopt, configured, s.environment).token == "from-config");
    CHECK(find_token(std::nullopt, {}, s.environment).token == "from-credential");
    s.environment.credentials_directory.reset();
    CHECK(find_token(std::nullopt, {}, s.environment).token == "from-environment");
    s.environment.access_token.reset();
    CHECK_THROWS_WITH_AS(find_token(std::nullopt, {}, s.environment),
                         doctest::Contains("no access token"), UsageError);
}

TEST_CASE("token: a named file that cannot serve is an error, not a reason to look elsewhere") {
    Surroundings s;
    s.environment.access_token = "from-environment";
    const auto missing = s.directory.path() / "missing";
    CHECK_THROWS_WITH_AS(find_token(missing, {}, s.environment),
                         doctest::Contains("missing cannot be read"), UsageError);
    CHECK_THROWS_AS(find_token(s.directory.path(), {}, s.environment), UsageError);
    const auto empty = s.secret("empty", "\n");
    CHECK_THROWS_WITH_AS(find_token(std::nullopt, empty, s.environment),
                         doctest::Contains("empty is empty"), UsageError);
    const auto lines = s.secret("lines", "secret-one\nsecret-two\n");
    try {
        find_token(lines, {}, s.environment);
        FAIL("two lines are not a token");
    } catch (const UsageError& error) {
        CHECK(std::string(error.what()).find("secret") == std::string::npos);
    }
}

TEST_CASE("token: an empty credential means that there is none") {
    Surroundings s;
    s.secret("access_token", "");
    s.environment.credentials_directory = s.directory.path();
    // In a journal, the hint is about the service.
    for (const char* content : {"", "\n"}) {
        s.secret("access_token", content);
        try {
            find_token(std::nullopt, {}, s.environment);
            FAIL("an empty token was found");
        } catch (const UsageError& error) {
            CHECK(std::string(error.what()).find("/etc/copernica-mirror/access_token") !=
                  std::string::npos);
        }
    }
    s.environment.access_token = "from-environment";
    CHECK(find_token(std::nullopt, {}, s.environment).token == "from-environment");
}

TEST_CASE("token: a file that everybody may read draws a warning") {
    Surroundings s;
    const auto file = s.directory.file("token", "abc");
    std::filesystem::permissions(file, static_cast<std::filesystem::perms>(0644));
    CHECK(find_token(file, {}, s.environment).warning.has_value());
    std::filesystem::permissions(file, static_cast<std::filesystem::perms>(0640));
    CHECK_FALSE(find_token(file, {}, s.environment).warning.has_value());
}

TEST_CASE("token: read again while the program runs") {
    Surroundings s;
    const auto file = s.secret("token", "first\n");
    const FoundToken found = find_token(file, {}, s.environment);
    REQUIRE(found.file.has_value());
    CHECK(found.advice.find(file.string()) != std::string::npos);
    CHECK(token_now(*found.file) == "first");
    std::filesystem::remove(file);
    CHECK_FALSE(token_now(file).has_value());
    s.secret("token", "\n");
    CHECK_FALSE(token_now(file).has_value());
    std::filesystem::remove(file);
    s.secret("token", "two\nlines\n");
    CHECK_FALSE(token_now(file).has_value());

    s.environment.access_token = "from-environment";
    const FoundToken from_environment = find_token(std::nullopt, {}, s.environment);
    CHECK_FALSE(from_environment.file.has_value());
    CHECK(from_environment.advice.find("$COPERNICA_ACCESS_TOKEN") != std::string::npos);
}

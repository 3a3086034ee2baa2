#include "daemon/config/token_text.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace mirror::daemon;

TEST_CASE("token: what cannot be one is told as what it is") {
    struct Row {
        std::string text;
        const char* why;
    };
    const std::string token = "0f8e7d6c5b4a39281706f5e4d3c2b1a0";
    const Row rows[] = {
        {"\xef\xbb\xbf" + token, "byte order mark"},
        {"\xff\xfe" + token, "UTF-16"},
        {std::string("0\0f\0", 4), "UTF-16"},
        {"\"" + token + "\"", "quotes"},
        {"'" + token + "'", "quotes"},
        {"Bearer " + token, "header"},
        {"bearer " + token, "header"},
        {"Authorization: Bearer " + token, "header"},
        {"https://api.copernica.com/v3/identity?access_token=" + token, "URL"},
        {"access_token=" + token, "URL"},
        {"{\"access_token\":\"" + token + "\"}", "JSON"},
        {token + "\r\n" + token, "more than one line"},
        {token + "\x1b[0m", "control character"},
        {std::string(20'000, 'a'), "too long"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.why);
        const std::string why = why_not_a_token(row.text).value_or("");
        CHECK(why.find(row.why) != std::string::npos);
        CHECK(why.find(token) == std::string::npos);
    }
    for (const std::string& text : {token, std::string("a+b/c=="), std::string("eyJh.eyJz-._~"),
                                    std::string("a b\xc3\xa9"), std::string("\"'\\")}) {
        CHECK_FALSE(why_not_a_token(text));
    }
}

TEST_CASE("token: which words may be one") {
    for (const char* word : {"0f8e7d6c5b4a39281706f5e4d3c2b1a0",
                             "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx", "simulated-token-for-a-test-1"}) {
        CAPTURE(word);
        CHECK(looks_like_a_token(word));
    }
    for (const char* word :
         {"", "sync", "2026-11-23T16:00:00+02:00", "/etc/copernica-mirror/access_token1",
          "impressions-of-2026-11-28.db", "impressions-of-november-2026.sqlite",
          "internationalization-of-everything", "12345678901234567890",
          "--metrics-file-number-1"}) {
        CAPTURE(word);
        CHECK_FALSE(looks_like_a_token(word));
    }
}

TEST_CASE("token: taken out of messages that repeat arguments") {
    const std::string token = "0f8e7d6c5b4a39281706f5e4d3c2b1a0";
    CHECK(without_tokens("no " + token + ", no " + token, {"sync", "-c", token}) ==
          "no [not shown: it looks like a token], no [not shown: it looks like a token]");
    CHECK(without_tokens("no " + token, {"--config=" + token}).find(token) == std::string::npos);
    CHECK(without_tokens("no file a.db", {"-d", "a.db"}) == "no file a.db");
}

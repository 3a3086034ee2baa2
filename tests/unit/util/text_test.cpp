// Printable texts, secrets, sorted JSON, decimal numbers.
#include <cstdint>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "core/util/canonical_json.hpp"
#include "core/util/decimal.hpp"
#include "core/util/printable.hpp"
#include "core/util/secret.hpp"
#include "core/util/secrets.hpp"

using namespace mirror;

TEST_CASE("text from outside stays on its line and moves no cursor") {
    struct Row {
        std::string text;
        std::string shown;
    };
    const Row rows[] = {
        {"plain, \"quoted\" and \\", "plain, \"quoted\" and \\"},
        {"", ""},
        {"a\nb\tc\rd", "a\\nb\\tc\\rd"},
        {"\x1b[31mred\x1b[0m\x07", "\\u001b[31mred\\u001b[0m\\u0007"},
        {std::string("nul\0", 4), "nul\\u0000"},
        {"\x7f \xc2\x9b", "\\u007f \\u009b"},
        {"h\xc3\xa9 \xf0\x9f\x98\x80", "h\xc3\xa9 \xf0\x9f\x98\x80"},
        {"\xe2\x80\xae \xe2\x81\xa6 \xe2\x80\xa8", "\\u202e \\u2066 \\u2028"},
        {"\xff\xc3", "\\xff\\xc3"},
        {"\xc0\xaf\xed\xa0\x80", "\\xc0\\xaf\\xed\\xa0\\x80"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.shown);
        CHECK(printable(row.text) == row.shown);
    }
    CHECK(printable("abcdef", 6) == "abcdef");
    CHECK(printable_json("{\"a\":\"\\n\xc2\x9b\xc3\xa9\"}") == "{\"a\":\"\\n\\u009b\xc3\xa9\"}");
    CHECK(printable("abcdefg", 6) == "abcdef…");
    CHECK(printable("\xc3\xa9\xc3\xa9", 1) == "\xc3\xa9…");
}

TEST_CASE("a secret is taken out of texts, encoded or not") {
    const Secret secret("a+b/ c");
    CHECK(secret.redact("token a+b/ c, a%2Bb%2F%20c.") == "token [token], [token].");
    // A server that repeats the request may encode it in another way.
    CHECK(secret.redact("a%2bb%2f%20c") == "[token]");
    CHECK(secret.redact("a+b/+c, a%2Bb/ c, %61%2bb%2F+%63%") == "[token], [token], [token]%");
    CHECK(secret.redact("a+a+b/ c") == "a+[token]");
    CHECK(secret.redact("a+b/ ") == "a+b/ ");
    CHECK(secret.redact("a%2") == "a%2");
    CHECK(secret.redact("nothing") == "nothing");
    // Other programs encode in other ways: small digits, more, or less of it, as a form, as JSON.
    CHECK(secret.redact("a%2bb%2f%20c a+b%2f+c %61+b/ c a+b\\/ c") ==
          "[token] [token] [token] [token]");
    CHECK(secret.redact("a+b/ca+b/ c") == "a+b/c[token]");
    CHECK(secret.redact("a+b/ ") == "a+b/ ");
    const Secret telling("a+b/ c-0123456789");
    CHECK(telling.occurs_in("x a%2Bb/+c-0123456789 y"));
    CHECK_FALSE(telling.occurs_in("x a+b/c-0123456789"));
    CHECK_FALSE(telling.occurs_in(""));
    CHECK_FALSE(Secret("").occurs_in("nothing"));
    // A short one may stand in anything by chance.
    CHECK_FALSE(Secret("desktop").occurs_in("desktop"));
    CHECK(Secret("desktop").redact("desktop") == "[token]");
    CHECK(Secret("%4").redact("%4 %254 4") == "[token] [token] 4");
    CHECK(Secret("+/").redact("1+/2") == "1[token]2");
    CHECK(Secret("a\"b").redact("a\\\"b") == "[token]");
    CHECK(Secret("").redact("nothing") == "nothing");
}

TEST_CASE(
    "several secrets: each is replaced, short ones only in messages, passing ones not for good") {
    Secrets secrets;
    secrets.add(Secret("the-token-of-the-account"));
    secrets.add(Secret("short"));
    secrets.add_passing(Secret("a-token-that-was-made-1"));
    const std::string text = "the-token-of-the-account, short, a-token-that-was-made-1";
    CHECK(secrets.redact(text) == "[token], [token], [token]");
    CHECK(secrets.occurs_in(text));
    CHECK(secrets.mask(text) == "[token], short, [token]");
    CHECK_FALSE(secrets.occurs_in("short"));
    for (int i = 2; i < 12; ++i) {
        secrets.add_passing(Secret("a-token-that-was-made-" + std::to_string(i)));
    }
    CHECK(secrets.occurs_in("a-token-that-was-made-11"));
    CHECK(secrets.redact("a-token-that-was-made-3 the-token-of-the-account") ==
          "a-token-that-was-made-3 [token]");
}

TEST_CASE("JSON is written with sorted keys, the last of equal keys") {
    CanonicalJson json;
    json.begin_object();
    json.key("z");
    json.begin_array();
    json.json("1");
    json.begin_object();
    json.key("b");
    json.string("x\n\"\\\x1f/é");
    json.key("a");
    json.json("null");
    json.end_object();
    json.begin_array();
    json.end_array();
    json.begin_object();
    json.end_object();
    json.end_array();
    json.key("a\"");
    json.json("1.50");
    json.key("z2");
    json.json("1");
    json.key("a\"");
    json.json("1e400");
    CHECK_FALSE(json.complete());
    json.end_object();
    CHECK(json.complete());
    CHECK(json.text() ==
          R"({"a\"":1e400,"z":[1,{"a":null,"b":"x\u000a\"\\\u001f/é"},[],{}],"z2":1})");
}

TEST_CASE("only canonical decimal digits are numbers") {
    CHECK(read_decimal<std::int64_t>("0") == 0);
    CHECK(read_decimal<std::int64_t>("-1") == -1);
    CHECK(read_decimal<std::int64_t>("9223372036854775807") ==
          std::numeric_limits<std::int64_t>::max());
    CHECK(read_decimal<std::int64_t>("-9223372036854775808") ==
          std::numeric_limits<std::int64_t>::min());
    for (const char* text : {"", "-", "+1", "01", "-0", "-01", " 1", "1 ", "1.0", "1e3", "0x1",
                             "9223372036854775808", "-9223372036854775809", "abc"}) {
        CAPTURE(std::string(text));
        CHECK_FALSE(read_decimal<std::int64_t>(text).has_value());
    }
    CHECK(read_decimal<std::uint64_t>("18446744073709551615") ==
          std::numeric_limits<std::uint64_t>::max());
    CHECK_FALSE(read_decimal<std::uint64_t>("-1").has_value());
}

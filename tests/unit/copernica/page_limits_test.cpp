// How large and how deep a page may be.
#include <cstddef>
#include <string>

#include <doctest/doctest.h>

#include "tests/unit/copernica/decoded.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::http;
using namespace mirror::tests;

TEST_CASE("limits") {
    const auto nested = [](std::size_t depth) {
        // The envelope, `data` and the record are three.
        return R"({"data":[{"x":)" + std::string(depth - 3, '[') + std::string(depth - 3, ']') +
               "}]}";
    };
    CHECK(decode(nested(32)).rejects.size() == 1);
    CHECK_THROWS_WITH_AS(decode(nested(33)), doctest::Contains("too deep"), BadBody);
    CHECK_THROWS_WITH_AS(decode("{\"x\":" + std::string(1'000'000, '[')),
                         doctest::Contains("too deep"), BadBody);

    const std::size_t text = std::size_t{1} << 20;
    for (const std::size_t piece : {std::size_t{4096}, std::size_t{8} << 20}) {
        CHECK(decode(R"({"data":[{"x":")" + std::string(text, 'a') + "\"}]}", piece).records() ==
              1);
        for (const std::string& body : {R"({"data":[{"x":")" + std::string(text + 1, 'a') + "\"}]}",
                                        R"({"data":[{")" + std::string(text + 1, 'a') + "\":1}]}",
                                        R"({"x":")" + std::string(text + 1, 'a') + "\"}",
                                        R"({"data":[)" + std::string(text + 1, '1') + "]}",
                                        R"({"data":[")" + std::string(text, 'a') + "\\n\"]}"}) {
            CHECK_THROWS_WITH_AS(decode(body, piece), doctest::Contains("too long"), BadBody);
        }
    }

    std::string large = R"({"data":[{"x":[)";
    for (int i = 0; i < 5; ++i) {
        large += "\"" + std::string(text - 10, 'b') + "\",";
    }
    CHECK_THROWS_WITH_AS(decode(large), doctest::Contains("record in the reply is too large"),
                         BadBody);
    std::string many_fields = R"({"data":[{"x":1)";
    for (int i = 0; i < 200'000; ++i) {
        many_fields += ",\"\":1";
    }
    CHECK_THROWS_WITH_AS(decode(many_fields + "}]}"),
                         doctest::Contains("record in the reply is too large"), BadBody);

    PageLimits limits;
    limits.records = 3;
    limits.body_bytes = 30;
    CHECK(decode("{\"data\":[1,2,3]}", 1000, limits).records() == 3);
    CHECK_THROWS_WITH_AS(decode("{\"data\":[1,2,3,4]}", 1000, limits),
                         doctest::Contains("too many records"), BadBody);
    CHECK_THROWS_WITH_AS(decode("{\"data\":[1,2,3,{}]}", 1000, limits),
                         doctest::Contains("too many records"), BadBody);

    // What cannot be rows is kept whole, with a reason of a dozen bytes and more.
    PageLimits few;
    few.reject_bytes = 60;
    CHECK(decode("{\"data\":[123]}", 1000, few).rejects.size() == 1);
    for (const char* const rejects :
         {"[1,2,3,4,5]", "[[],[],[],[],[]]", "[{},{}]", R"([{"ID":"1","timestamp":"never"}])"}) {
        CAPTURE(std::string(rejects));
        CHECK_THROWS_WITH_AS(decode("{\"data\":" + std::string(rejects) + "}", 1000, few),
                             doctest::Contains("unusable records in the reply are too large"),
                             BadBody);
    }
    CHECK_THROWS_WITH_AS(decode("{\"data\":[]}" + std::string(20, ' '), 1, limits),
                         doctest::Contains("too large"), BadBody);
}

#include "core/http/inflate.hpp"

#include <string>

#include <doctest/doctest.h>
#include <zlib.h>

#include "core/http/string_sink.hpp"
#include "tests/unit/http/gzip.hpp"

using namespace mirror::http;

namespace {

constexpr std::size_t roomy = std::size_t{32} << 20;

std::string undo(const std::string& packed, std::size_t piece, std::size_t limit = roomy) {
    StringSink collector(roomy);
    Inflate inflate(collector, limit);
    for (std::size_t at = 0; at < packed.size(); at += piece) {
        inflate.feed(std::string_view(packed).substr(at, piece));
    }
    inflate.finish();
    return collector.text();
}

std::string some_text() {
    std::string text;
    for (int i = 0; i < 3000; ++i) {
        text += std::to_string(i * 7919) + ",";
    }
    return text;
}

}  // namespace

TEST_CASE("gzip is undone in pieces of any size") {
    const std::string text = some_text();
    const std::string packed = gzip(text);
    for (const std::size_t piece :
         {std::size_t{1}, std::size_t{2}, std::size_t{7}, packed.size()}) {
        CAPTURE(piece);
        CHECK(undo(packed, piece) == text);
    }
    CHECK(undo(gzip(""), 1).empty());
}

TEST_CASE("gzip that is cut anywhere is not whole") {
    const std::string packed = gzip("a short text, a short text, a short text");
    for (std::size_t length = 0; length < packed.size(); ++length) {
        CAPTURE(length);
        CHECK_THROWS_AS(undo(packed.substr(0, length), 5), BadBody);
    }
}

TEST_CASE("gzip with anything behind it, or with damage, is refused") {
    const std::string packed = gzip("a text");
    CHECK_THROWS_WITH_AS(undo(packed + "x", 1), doctest::Contains("follows"), BadBody);
    CHECK_THROWS_WITH_AS(undo(packed + "x", 1000), doctest::Contains("follows"), BadBody);
    CHECK_THROWS_WITH_AS(undo(packed + packed, 1000), doctest::Contains("follows"), BadBody);
    CHECK_THROWS_AS(undo("{\"data\":[]}", 1000), BadBody);
    CHECK_THROWS_AS(undo(gzip(packed).substr(2), 1000), BadBody);
    std::string wrong_sum = packed;
    wrong_sum[packed.size() - 8] = static_cast<char>(wrong_sum[packed.size() - 8] ^ 1);
    CHECK_THROWS_WITH_AS(undo(wrong_sum, 1000), doctest::Contains("damaged"), BadBody);
    std::string wrong_length = packed;
    wrong_length[packed.size() - 1] = 1;
    CHECK_THROWS_WITH_AS(undo(wrong_length, 1000), doctest::Contains("damaged"), BadBody);
}

TEST_CASE("a gzip bomb ends at the limit") {
    const std::string bomb = gzip(std::string(roomy + 1, ' '));
    CHECK_THROWS_WITH_AS(undo(bomb, 4096), doctest::Contains("too large"), BadBody);
    const std::string just_fits = gzip(std::string(100'000, ' '));
    CHECK(undo(just_fits, 1000, 100'000).size() == 100'000);
    CHECK_THROWS_AS(undo(just_fits, 1000, 99'999), BadBody);
}

#include "daemon/cli/terminal_text.hpp"

#include <doctest/doctest.h>

using namespace mirror::daemon;

TEST_CASE("terminal text: numbers for people") {
    CHECK(grouped(0) == "0");
    CHECK(grouped(999) == "999");
    CHECK(grouped(1000) == "1,000");
    CHECK(grouped(1'200'345) == "1,200,345");
    CHECK(mebibytes(0) == "0.0");
    CHECK(mebibytes(123'456'789) == "117.7");
    CHECK(mebibytes(std::uint64_t{1} << 40) == "1048576.0");
}

TEST_CASE("terminal text: one and many") {
    CHECK(counted(0, "row") == "0 rows");
    CHECK(counted(1, "row") == "1 row");
    CHECK(counted(1200, "row") == "1,200 rows");
}

TEST_CASE("terminal text: a line that does not wrap") {
    CHECK(fitted("", 10) == "");
    CHECK(fitted("123456789", 10) == "123456789");
    CHECK(fitted("1234567890", 10) == "12345678…");
    CHECK(fitted("é…é…é", 6) == "é…é…é");
    CHECK(fitted("é…é…é", 5) == "é…é…");
    CHECK(fitted("é…é…éé", 6) == "é…é……");
    CHECK(fitted("abc", 1) == "…");
    CHECK(fitted("abc", 0) == "…");
}
